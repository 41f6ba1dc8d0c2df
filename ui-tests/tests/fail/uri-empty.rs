//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("")]
    fn image(&self) {}
}

fn main() {}
