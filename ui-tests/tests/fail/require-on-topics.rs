//! errors: 2

use futures_util::{Stream, stream};
use wslink::{Topic, service};

struct S;

#[service]
impl S {
    #[topic("s.a", require = editor)]
    pub const A: Topic<u32>;

    #[topic("s.b", require = "")]
    fn b(&self) -> impl Stream<Item = u32> + Send + 'static {
        stream::empty()
    }
}

fn main() {}
