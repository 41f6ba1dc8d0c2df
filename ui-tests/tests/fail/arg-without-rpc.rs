//! errors: 1

use wslink::service;

struct Render;

#[service]
impl Render {
    fn image(&self, #[arg(default = 3)] w: u32) -> u32 {
        w
    }
}

fn main() {}
