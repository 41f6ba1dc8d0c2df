//! errors: 2

use std::pin::Pin;

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.size")]
    fn size(&self) -> Pin<Box<dyn Future<Output = u32> + Send>> {
        Box::pin(async { 1 })
    }

    #[rpc("my.other")]
    fn other(&self) -> futures_util::future::BoxFuture<'static, u32> {
        Box::pin(async { 1 })
    }
}

fn main() {}
