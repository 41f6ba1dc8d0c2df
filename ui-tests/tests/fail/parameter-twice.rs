//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self, w: u32, w: u32) -> u32 {
        w
    }
}

fn main() {}
