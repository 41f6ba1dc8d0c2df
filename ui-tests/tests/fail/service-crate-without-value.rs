//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service(crate)]
impl Render {
    #[rpc("my.image")]
    fn image(&self) {}
}

fn main() {}
