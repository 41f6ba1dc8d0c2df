//! `#[cfg]` on methods, topics and the block is followed by what is generated.

use wslink::{Topic, rpc, rpc::Service, service, topic};

struct Render;
#[cfg(any())]
struct Absent;

#[service]
impl Render {
    #[cfg(any())]
    #[topic("render.moved")]
    const CHANGED: Topic<Missing>;

    #[cfg(all())]
    #[topic("render.changed")]
    const CHANGED: Topic<u8>;

    #[cfg(all())]
    #[rpc("render.image")]
    fn image(&self) {}

    #[rpc("render.image")]
    #[cfg(any())]
    fn image(&self, missing: Missing) {}

    #[cfg_attr(all(), allow(dead_code))]
    fn other(&self) {}
}

#[service]
#[cfg(any())]
impl Absent {
    #[rpc("absent.image")]
    fn image(&self) {}
}

fn main() {
    assert_eq!(Render::DESCRIPTOR.methods.len(), 1);
    assert_eq!(Render::DESCRIPTOR.topics.len(), 1);
    assert_eq!(Render::CHANGED.uri(), "render.changed");
}
