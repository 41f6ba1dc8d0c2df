//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc(17)]
    fn image(&self) {}
}

fn main() {}
