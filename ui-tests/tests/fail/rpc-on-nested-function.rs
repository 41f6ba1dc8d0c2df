//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.draw")]
    fn draw(&self) {
        #[rpc("my.inner")]
        fn inner() {}
        inner();
    }
}

fn main() {}
