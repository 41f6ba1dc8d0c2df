//! errors: 1

use wslink::{Topic, rpc, service, topic};

struct Render;

#[service(client)]
impl Render {
    #[topic("my.changed")]
    const CHANGED: Topic<u8>;

    #[rpc("my.changed_now")]
    fn changed(&self) {}
}

fn main() {}
