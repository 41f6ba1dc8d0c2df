//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("wslink.hello")]
    fn image(&self) {}
}

fn main() {}
