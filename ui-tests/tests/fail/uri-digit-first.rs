//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.3d")]
    fn image(&self) {}
}

fn main() {}
