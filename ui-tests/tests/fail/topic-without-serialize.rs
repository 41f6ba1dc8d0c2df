//! errors: 1

use wslink::{Topic, service, topic};

struct Opaque;

struct Render;

#[service]
impl Render {
    #[topic("my.changed")]
    pub const CHANGED: Topic<Opaque>;
}

fn main() {}
