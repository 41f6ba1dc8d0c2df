//! errors: 1

use futures_util::{Stream, stream};
use wslink::{service, topic};

struct Render;

struct Opaque;

#[service]
impl Render {
    #[topic("my.a")]
    fn a(&self) -> impl Stream<Item = Opaque> + Send + 'static {
        stream::empty()
    }
}

fn main() {}
