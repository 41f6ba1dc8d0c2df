//! errors: 1

use wslink::{Args, rpc, service};

struct Render;

#[service(client)]
impl Render {
    #[rpc("my.any")]
    fn any(&self, _first: u8, _others: Args) {}
}

fn main() {}
