//! Services in several modules, so that the compiler may put them into several objects.

pub mod camera;
pub mod window;

use wslink::{rpc, service};

pub struct Render;

#[service]
impl Render {
    #[rpc("render.image")]
    fn image(&self, width: u32) -> u32 {
        width
    }

    #[rpc("render.reset")]
    fn reset(&self) {}
}

/// Nobody mounts it.
pub struct Forgotten;

#[service]
impl Forgotten {
    #[rpc("forgotten.call")]
    fn call(&self) {}
}
