//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    async fn image(&self) -> Result<u32, std::fmt::Error> {
        Ok(1)
    }
}

fn main() {}
