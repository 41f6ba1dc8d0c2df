//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.resize")]
    fn resize(&self, #[arg(context)] _width: u32) {}
}

fn main() {}
