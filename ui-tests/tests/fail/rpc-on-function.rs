//! errors: 1

use wslink::rpc;

#[rpc("my.draw")]
fn draw() {}

fn main() {
    draw();
}
