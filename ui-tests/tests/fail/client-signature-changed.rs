//! errors: 1

use wslink::{client::Error, rpc, service};

struct Render;

#[service(client)]
impl Render {
    #[rpc("my.resize")]
    fn resize(&self, _width: u32, _height: u32) {}
}

async fn caller(render: RenderClient) -> Result<(), Error> {
    render.resize(640, "480").await
}

fn main() {
    let _ = caller;
}
