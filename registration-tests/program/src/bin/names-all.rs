//! Names every crate that it depends on: all services are known, and those that are not mounted are told.

// A crate that is used for its services alone is named like this, or it is not linked.
use unnamed as _;

use wslink::{Error, rpc::Catalogue};

fn main() {
    program::check_methods();
    assert_eq!(program::not_mounted(), ["render 1.0.0 Forgotten", "render 2.0.0 Render", "unnamed 1.0.0 Unnamed"]);

    // Each of two servers has what is mounted on it.
    let other = Catalogue::default().mount(render_2::Render);
    assert_eq!(other.methods().unwrap(), ["render.image"]);
    program::check_methods();

    // Two versions of a service are two services, and only one of them can have a URI.
    let both = program::mounted().mount(render_2::Render).methods();
    let Err(Error::Duplicate { uri: "render.image", places: [first, second] }) = both else { panic!("{both:?}") };
    assert!(first.file.contains("render/src") && second.file.contains("render-2/src"), "{first}, {second}");
}
