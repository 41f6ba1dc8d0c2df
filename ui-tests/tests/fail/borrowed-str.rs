//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self, name: &str) {
        drop(name.to_owned());
    }
}

fn main() {}
