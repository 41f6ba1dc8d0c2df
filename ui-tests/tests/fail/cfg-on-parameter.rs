//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self, #[cfg(unix)] w: u32) {
        let _ = w;
    }
}

fn main() {}
