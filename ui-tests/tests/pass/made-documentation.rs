//! Documentation that a macro makes is part of the description.
#![deny(missing_docs)]

use wslink::{Topic, rpc, service, topic};

/// Draws.
pub struct Render;

/// Renders
#[doc = concat!("with version ", "1")]
#[service(client)]
impl Render {
    #[doc = concat!("It ", "changed.")]
    #[topic("render.changed")]
    pub const CHANGED: Topic<u32>;

    /// The size.
    ///
    #[doc = concat!("In ", "pixels.")]
    /// Always.
    #[rpc("render.size")]
    fn size(&self) -> u32 {
        1
    }
}

fn main() {
    let descriptor = <Render as wslink::rpc::Service>::DESCRIPTOR;
    assert_eq!(descriptor.docs, "Renders\nwith version 1");
    assert_eq!(descriptor.methods[0].docs, "The size.\n\nIn pixels.\nAlways.");
    assert_eq!(descriptor.topics[0].docs, "It changed.");
}
