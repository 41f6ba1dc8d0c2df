//! What the programs of this package check.

use render::{Render, camera::Camera, window::Window};
use wslink::rpc::Catalogue;

/// Every method of what [`mounted`] mounts.
pub const METHODS: [&str; 5] = ["camera.move", "render.image", "render.reset", "window.close", "window.open"];

/// Three of the services of `render`.
pub fn mounted() -> Catalogue {
    Catalogue::default().mount(Render).mount(Camera).mount(Window)
}

/// Every method is there, whatever the linker did.
pub fn check_methods() {
    assert_eq!(mounted().methods().expect("no URI is taken twice"), METHODS);
}

/// The services that are linked and that [`mounted`] does not mount, with their packages.
pub fn not_mounted() -> Vec<String> {
    let services = mounted().not_mounted().expect("no URI is taken twice");
    services.iter().map(|service| format!("{} {} {}", service.package, service.version, service.name)).collect()
}
