//! The same type and URIs as in the first version.

use wslink::{rpc, service};

pub struct Render;

#[service]
impl Render {
    #[rpc("render.image")]
    fn image(&self, width: u32, height: u32) -> u32 {
        width * height
    }
}
