//! errors: 1

use wslink::{rpc, service};

trait Draw {}

#[service]
impl dyn Draw {
    #[rpc("my.draw")]
    fn draw(&self) {}
}

fn main() {}
