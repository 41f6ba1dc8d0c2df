//! errors: 1

use wslink::{Client, rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.resize")]
    fn resize(&self, #[arg(context, rename = "caller")] _client: Client) {}
}

fn main() {}
