//! errors: 1

use wslink::{Topic, service, topic};

struct Render;

#[service]
impl Render {
    #[topic("my.changed", delivery = drop_oldest(0))]
    pub const CHANGED: Topic<u32>;
}

fn main() {}
