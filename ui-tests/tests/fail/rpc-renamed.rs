//! errors: 1

use wslink::{rpc as remote, service};

struct Render;

#[service]
impl Render {
    #[remote("my.size")]
    fn size(&self) -> u32 {
        1
    }
}

fn main() {}
