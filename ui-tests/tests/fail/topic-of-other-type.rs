//! errors: 1

use wslink::{service, topic};

struct Render;

#[service]
impl Render {
    #[topic("my.changed")]
    pub const CHANGED: u32;
}

fn main() {}
