//! errors: 1
//!
//! The compiler has reported it before the macro sees the block.

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.draw")]
    fn draw(&self, w: ) {}

    #[rpc("my.erase")]
    fn erase(&self) {}
}

fn main() {
    Render.erase();
}
