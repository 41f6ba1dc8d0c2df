//! errors: 2

use wslink::{Topic, rpc, service, topic};

struct Render;

#[service]
impl Render {
    #[rpc(name = "my.size")]
    fn size(&self) -> u32 {
        1
    }

    #[topic(uri = "my.changed", delivery = latest)]
    const CHANGED: Topic<u32>;
}

fn main() {}
