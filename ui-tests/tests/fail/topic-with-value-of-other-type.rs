//! errors: 1

use wslink::{Topic, service, topic};

struct Render;

#[service]
impl Render {
    #[topic("my.changed")]
    pub const CHANGED: Topic<u32> = 5;
}

fn main() {}
