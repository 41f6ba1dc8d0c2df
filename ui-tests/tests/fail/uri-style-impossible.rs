//! errors: 4
//!
//! What no client can call, and what stands twice.

use wslink::{rpc, service};

struct Render;

#[service(uri_style = any)]
impl Render {
    #[rpc("")]
    fn a(&self) {}

    #[rpc("my.\n")]
    fn b(&self) {}

    #[rpc("wslink.hello")]
    fn c(&self) {}

    #[rpc("vtk.resetCamera")]
    fn d(&self) {}

    #[rpc("vtk.resetCamera")]
    fn e(&self) {}
}

fn main() {}
