//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image<'a>(&self, name: std::borrow::Cow<'a, str>) {
        drop(name);
    }
}

fn main() {}
