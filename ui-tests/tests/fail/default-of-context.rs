//! errors: 1

use wslink::{Client, rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self, #[arg(default = loop {})] client: Client) {
        drop(client);
    }
}

fn main() {}
