//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image", = 3)]
    fn image(&self) {}
}

fn main() {}
