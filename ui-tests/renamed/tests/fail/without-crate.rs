use ws::{RpcError, Topic, service};

struct Render;

#[service(client)]
impl Render {
    #[topic("my.changed")]
    const CHANGED: Topic<u32>;

    #[rpc("my.size")]
    async fn size(&self) -> u32 {
        1
    }
}

#[derive(Debug, RpcError)]
enum RenderError {
    Gone,
}

fn main() {}
