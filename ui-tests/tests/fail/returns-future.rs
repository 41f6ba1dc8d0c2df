//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self) -> impl Future<Output = u32> {
        async { 1 }
    }
}

fn main() {}
