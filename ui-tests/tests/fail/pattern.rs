//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self, (w, h): (u32, u32)) -> u32 {
        w * h
    }
}

fn main() {}
