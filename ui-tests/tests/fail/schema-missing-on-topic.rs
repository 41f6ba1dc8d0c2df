//! errors: 1

use wslink::{Topic, service};

#[derive(serde::Serialize)]
struct Opaque;

struct Render;

#[service(schema)]
impl Render {
    #[topic("my.changed")]
    const CHANGED: Topic<Opaque>;
}

fn main() {}
