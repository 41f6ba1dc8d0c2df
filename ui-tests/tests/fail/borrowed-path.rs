//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self, path: &std::path::Path) {
        let _ = path;
    }
}

fn main() {}
