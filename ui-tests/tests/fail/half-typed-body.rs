//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.draw")]
    fn draw(&self) {
        self. ;
    }

    #[rpc("my.erase")]
    fn erase(&self) {}
}

fn main() {
    Render.erase();
}
