//! errors: 1

use wslink::{Topic, rpc, service, topic};

struct Render;

#[service]
impl Render {
    #[topic("my.a")]
    pub const A: Topic<u8>

    #[topic("my.b")]
    pub const B: Topic<u8>;

    #[rpc("my.c")]
    fn c(&self) -> bool {
        Self::A.uri() == Self::B.uri()
    }
}

fn main() {}
