//! errors: 1

use wslink::{rpc, rpc::Service, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.draw")]
    fn draw(&mut self) {}

    #[rpc("my.erase")]
    fn erase(&self) {}
}

fn main() {
    Render.erase();
    let _ = Render::DESCRIPTOR;
}
