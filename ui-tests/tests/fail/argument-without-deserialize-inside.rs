//! errors: 1

use wslink::{rpc, service};

struct Opaque;

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self, views: Vec<Opaque>) {
        drop(views);
    }
}

fn main() {}
