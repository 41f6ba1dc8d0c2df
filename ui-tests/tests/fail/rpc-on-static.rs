//! errors: 1
//!
//! The compiler says it before the macro sees the block.

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.size")]
    static SIZE: u32 = 1;
}

fn main() {}
