//! Documentation reaches the descriptors: lines joined, without the space behind `///`.

use wslink::{Topic, rpc, rpc::Service, service, topic};

struct Render;

/// Renders.
///
///     indented
#[service]
impl Render {
    /// A new frame
    /// is ready.
    #[topic("render.changed")]
    const CHANGED: Topic<u8>;

    /** One still image. */
    #[rpc("render.image")]
    fn image(&self) {}

    #[rpc("render.bare")]
    #[doc(hidden)]
    fn bare(&self) {}
}

fn main() {
    assert_eq!(Render::DESCRIPTOR.docs, "Renders.\n\n    indented");
    assert_eq!(Render::DESCRIPTOR.topics[0].docs, "A new frame\nis ready.");
    assert_eq!(Render::DESCRIPTOR.methods[0].docs, "One still image.");
    assert_eq!(Render::DESCRIPTOR.methods[1].docs, "");
    let _ = Render::CHANGED;
}
