//! Generated code is clean under the lints of a strict crate.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings, rust_2018_idioms, unused_qualifications, unreachable_pub)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery, clippy::unwrap_used)]

use wslink::{Topic, rpc, service, topic};

/// A service.
pub struct Render;

#[service]
impl Render {
    /// A new frame.
    #[topic("render.changed", delivery = latest)]
    pub const CHANGED: Topic<u32>;

    /// An image.
    ///
    /// # Errors
    /// Never.
    #[rpc("render.image")]
    pub async fn image(&self, width: u32, #[arg(default = 90)] quality: u8) -> Result<u32, wslink::CallError> {
        std::future::ready(()).await;
        Ok(width + u32::from(quality))
    }

    /// Of old.
    #[deprecated = "use `image`"]
    #[rpc("render.still")]
    pub const fn still(&self) {}
}

fn main() {}
