//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.numbers")]
    fn numbers(&self) -> futures_util::stream::BoxStream<'static, u32> {
        Box::pin(futures_util::stream::empty())
    }
}

fn main() {}
