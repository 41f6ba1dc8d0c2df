//! errors: 1

use wslink::rpc;

struct Render;

impl Render {
    #[rpc("my.draw")]
    fn draw(&self) {}
}

fn main() {
    Render.draw();
}
