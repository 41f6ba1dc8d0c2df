//! errors: 1

use wslink::{rpc, service};

#[derive(serde::Deserialize)]
struct Size {
    _width: u32,
}

struct Render;

#[service(client)]
impl Render {
    #[rpc("my.resize")]
    fn resize(&self, _size: Size) {}
}

fn main() {}
