//! errors: 1

use wslink::{Topic, service, topic};

struct Render;

#[service]
impl Render {
    #[topic("my.changed", delivery = "latest")]
    pub const CHANGED: Topic<u32>;
}

fn main() {}
