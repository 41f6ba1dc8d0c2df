//! `#[service(uri_style = any)]`: names that existing pages call.
use wslink::{Topic, rpc, service, topic};

struct Vtk;

#[service(uri_style = any)]
impl Vtk {
    #[topic("vtk.Camera/changed")]
    const CHANGED: Topic<u32>;

    #[rpc("vtk.resetCamera")]
    fn reset_camera(&self) {}

    #[rpc("geode-object.load")]
    fn load(&self) {}

    #[rpc("größe")]
    fn size(&self) {}
}

fn main() {
    let catalogue = wslink::rpc::Catalogue::default().mount(Vtk);
    assert_eq!(catalogue.methods().unwrap(), ["geode-object.load", "größe", "vtk.resetCamera"]);
    assert_eq!(Vtk::CHANGED.uri(), "vtk.Camera/changed");
}
