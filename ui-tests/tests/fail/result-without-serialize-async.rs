//! errors: 1

use wslink::{rpc, service};

struct Opaque;

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    async fn image(&self) -> Opaque {
        Opaque
    }
}

fn main() {}
