//! errors: 1

use wslink::{rpc, service};

trait Stream {
    type Item;
}

struct Once(u32);

impl Stream for Once {
    type Item = u32;
}

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self) -> impl Stream<Item = u32> {
        Once(1)
    }
}

fn main() {}
