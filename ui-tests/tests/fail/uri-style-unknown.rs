//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service(uri_style = camel)]
impl Render {
    #[rpc("my.size")]
    fn size(&self) -> u32 {
        1
    }
}

fn main() {}
