//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.save", timeout_ms = 0)]
    async fn save(&self) {}
}

fn main() {}
