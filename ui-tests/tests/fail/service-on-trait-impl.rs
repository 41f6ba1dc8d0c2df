//! errors: 1

use wslink::{rpc, service};

struct Render;

trait Draw {
    fn draw(&self);
}

#[service]
impl Draw for Render {
    #[rpc("my.draw")]
    fn draw(&self) {}
}

fn main() {}
