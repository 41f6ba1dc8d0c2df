//! errors: 1

use wslink::{Topic, service, topic};

#[derive(serde::Serialize)]
struct Size {
    _width: u32,
}

struct Render;

#[service(client)]
impl Render {
    #[topic("my.resized")]
    const RESIZED: Topic<Size>;
}

fn main() {}
