//! errors: 2
//!
//! As many as in a block without the macro.

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.a")]
    fn a(&self, w) {}

    #[rpc("my.b")]
    fn b(&self, w: u8 h: u8) {}

    #[rpc("my.c")]
    fn c(&self) {}
}

fn main() {}
