//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc(concat!("my", ".image"))]
    fn image(&self) {}
}

fn main() {}
