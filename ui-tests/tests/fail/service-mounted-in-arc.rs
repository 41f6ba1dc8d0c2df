//! errors: 1
//!
//! The attribute is where it belongs.

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.size")]
    fn size(&self) -> u32 {
        1
    }
}

fn catalogue() -> wslink::rpc::Catalogue {
    wslink::rpc::Catalogue::default().mount(std::sync::Arc::new(Render))
}

fn main() {}
