//! errors: 1

use wslink::{rpc, service, topic};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    #[topic("my.picture")]
    fn image(&self) {}
}

fn main() {}
