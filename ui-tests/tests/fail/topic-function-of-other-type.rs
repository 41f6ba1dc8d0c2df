//! errors: 1

use wslink::{service, topic};

struct Render;

#[service]
impl Render {
    #[topic("my.tiles")]
    fn tiles(&self) -> u32 {
        1
    }
}

fn main() {}
