//! `#[service(crate = path)]` for a crate that re-exports the runtime.

mod my {
    pub mod reexported {
        pub use wslink::*;
    }
}

use my::reexported::service;

struct Render;

#[service(crate = crate::my::reexported)]
impl Render {
    #[topic("render.changed")]
    pub const CHANGED: my::reexported::Topic<u8>;

    #[rpc("render.image")]
    async fn image(&self, #[arg(default)] w: u32) -> u32 {
        w
    }
}

fn main() {}
