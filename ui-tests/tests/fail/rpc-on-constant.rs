//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    pub const IMAGE: u32 = 1;
}

fn main() {}
