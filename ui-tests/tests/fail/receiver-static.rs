//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.size")]
    fn size(&'static self) -> u32 {
        1
    }
}

fn main() {}
