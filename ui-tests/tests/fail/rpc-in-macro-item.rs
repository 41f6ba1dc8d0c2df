//! errors: 1

use wslink::{rpc, service};

struct Render;

macro_rules! draw {
    () => {
        #[rpc("my.draw")]
        fn draw(&self) {}
    };
}

#[service]
impl Render {
    draw!();
}

fn main() {
    Render.draw();
}
