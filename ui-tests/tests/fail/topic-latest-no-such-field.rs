//! errors: 1

use wslink::{Topic, service, topic};

struct Render;

#[service]
impl Render {
    #[topic("my.tiles", delivery = latest(key = id))]
    const TILES: Topic<u32>;
}

fn main() {}
