use ws::{RpcError, Topic, service};

struct Render;

#[service(client, crate = ::ws)]
impl Render {
    #[topic("my.changed")]
    const CHANGED: Topic<u32>;

    #[rpc("my.size")]
    async fn size(&self) -> Result<u32, RenderError> {
        Err(RenderError::Gone)
    }
}

#[derive(Debug, RpcError)]
#[rpc_error(crate = ::ws)]
enum RenderError {
    Gone,
}

fn main() {
    let catalogue = ws::rpc::Catalogue::default().mount(Render);
    assert_eq!(catalogue.methods().unwrap(), ["my.size"]);
    let _ = (Render::CHANGED, RenderClient::size);
}
