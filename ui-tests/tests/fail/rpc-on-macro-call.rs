//! errors: 1

use wslink::{rpc, service};

macro_rules! draw {
    () => {
        fn draw(&self) {}
    };
}

struct Render;

#[service]
impl Render {
    #[rpc("my.draw")]
    draw!();
}

fn main() {}
