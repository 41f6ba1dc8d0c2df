//! errors: 1

use wslink::{service, topic};

struct Render;

#[service]
impl Render {
    #[topic("my.tiles")]
    fn tiles(&self) -> impl futures_util::Stream<Item = u32> + 'static {
        futures_util::stream::once(async {
            let alone = std::rc::Rc::new(1);
            std::future::ready(()).await;
            *alone
        })
    }
}

fn main() {}
