//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self, data: &[u8]) {
        let _ = data;
    }
}

fn main() {}
