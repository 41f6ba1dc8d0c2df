//! Lints that a method allows, and its `cfg`, hold for the client's method as well.
#![deny(warnings)]

use wslink::{rpc, service};

pub struct Render;

#[service(client)]
impl Render {
    #[allow(non_snake_case)]
    #[rpc("render.a")]
    fn getImage(&self, imageWidth: u32) -> u32 {
        imageWidth
    }

    #[expect(non_snake_case)]
    #[rpc("render.b")]
    async fn setImage(&self, imageWidth: u32) -> u32 {
        imageWidth
    }

    #[cfg_attr(all(), allow(non_snake_case))]
    #[rpc("render.c")]
    fn noImage(&self) {}

    #[rpc("render.e")]
    fn resize(&self, #[allow(non_snake_case)] imageWidth: u32, #[allow(non_snake_case, reason = "wire")] imageHeight: u32) -> u32 {
        imageWidth * imageHeight
    }

    #[cfg(any())]
    #[rpc("render.d")]
    fn absent(&self, missing: Missing) -> Missing {
        missing
    }
}

pub struct Whole;

#[allow(non_snake_case)]
#[service(client)]
impl Whole {
    #[rpc("whole.a")]
    fn getImage(&self, imageWidth: u32) -> u32 {
        imageWidth
    }
}

fn main() {
    let _ = (RenderClient::getImage, RenderClient::setImage, RenderClient::noImage, RenderClient::resize, WholeClient::getImage);
}
