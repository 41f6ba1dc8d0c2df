//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image", blocking)]
    async fn image(&self) {}
}

fn main() {}
