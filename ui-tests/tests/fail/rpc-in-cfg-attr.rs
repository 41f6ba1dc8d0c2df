//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[cfg_attr(unix, rpc("my.image"))]
    fn image(&self) {}
}

fn main() {}
