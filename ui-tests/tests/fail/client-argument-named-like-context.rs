//! errors: 1

use wslink::{rpc, service};

#[derive(serde::Serialize, serde::Deserialize)]
struct Client;

struct Render;

#[service(client)]
impl Render {
    #[rpc("my.add")]
    fn add(&self, _client: Client) {}
}

fn main() {}
