//! errors: 1

use wslink::{service, topic};

struct Render;

#[service]
impl Render {
    #[topic("my.tiles", retain = last)]
    fn tiles(&self) -> impl futures_util::Stream<Item = u32> + Send + 'static {
        futures_util::stream::empty()
    }
}

fn main() {}
