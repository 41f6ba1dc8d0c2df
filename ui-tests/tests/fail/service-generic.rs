//! errors: 1

use wslink::{rpc, service};

struct Render<T>(T);

#[service]
impl<T> Render<T> {
    #[rpc("my.draw")]
    fn draw(&self) {}
}

fn main() {}
