//! errors: 1

use wslink::rpc;

trait Draw {
    #[rpc("my.draw")]
    fn draw(&self);
}

fn main() {}
