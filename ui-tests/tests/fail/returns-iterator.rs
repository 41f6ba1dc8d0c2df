//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.numbers")]
    fn numbers(&self) -> impl Iterator<Item = u32> {
        0..3
    }
}

fn main() {}
