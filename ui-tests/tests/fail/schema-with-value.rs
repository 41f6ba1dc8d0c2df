//! errors: 1

use wslink::{service};

struct Render;

#[service(schema = true)]
impl Render {
    #[rpc("my.image")]
    fn image(&self) {}
}

fn main() {}
