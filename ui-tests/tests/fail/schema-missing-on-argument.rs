//! errors: 1

use wslink::{service};

#[derive(serde::Deserialize)]
struct Opaque;

struct Render;

#[service(schema)]
impl Render {
    #[rpc("my.image")]
    fn image(&self, _size: Opaque) {}
}

fn main() {}
