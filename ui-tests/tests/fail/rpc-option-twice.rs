//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image", blocking, blocking)]
    fn image(&self) {}
}

fn main() {}
