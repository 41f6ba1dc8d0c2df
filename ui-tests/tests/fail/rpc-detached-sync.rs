//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.save", detached)]
    fn save(&self) {}
}

fn main() {}
