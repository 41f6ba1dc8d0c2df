//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service(client)]
impl Render {
    #[rpc("my.size")]
    fn size(&self) -> impl serde::Serialize + use<> {
        1
    }
}

fn main() {}
