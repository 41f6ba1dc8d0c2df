//! errors: 3

use futures_util::{Stream, stream};
use wslink::{service, topic};

struct Render(Vec<u32>);

#[service]
impl Render {
    #[topic("my.a")]
    fn a(&self) -> impl Stream<Item = u32> + Send {
        stream::iter(self.0.iter().copied())
    }

    #[topic("my.b")]
    fn b(&self) -> stream::BoxStream<'_, u32> {
        Box::pin(stream::iter(self.0.iter().copied()))
    }

    #[topic("my.c")]
    fn c<'a>(&'a self) -> impl Stream<Item = u32> + Send + 'a {
        stream::iter(self.0.iter().copied())
    }
}

fn main() {}
