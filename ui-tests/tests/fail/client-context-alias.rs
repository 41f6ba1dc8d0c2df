//! errors: 1

use wslink::{Client, rpc, service};

type Caller = Client;

struct Render;

#[service(client)]
impl Render {
    #[rpc("my.size")]
    fn size(&self, _caller: Caller) {}
}

fn main() {}
