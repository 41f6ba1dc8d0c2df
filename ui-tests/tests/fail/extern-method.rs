//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    extern "C" fn image(&self) {}
}

fn main() {}
