//! errors: 1

use wslink::{Client, rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self, client: &Client) {
        let _ = client;
    }
}

fn main() {}
