//! errors: 2
//!
//! Of a path that the user wrote the compiler complains once for imports, and once for attributes.

use wslink::{Topic, rpc, service, topic};

struct Render;

#[service(crate = nowhere)]
impl Render {
    #[topic("my.changed")]
    const CHANGED: Topic<u32>;

    #[rpc("my.size")]
    fn size(&self) -> u32 {
        1
    }
}

fn main() {}
