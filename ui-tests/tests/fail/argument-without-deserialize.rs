//! errors: 1

use wslink::{rpc, service};

struct Opaque;

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    async fn image(&self, w: u32, view: Opaque) -> u32 {
        drop(view);
        w
    }
}

fn main() {}
