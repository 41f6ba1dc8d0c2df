//! errors: 1

use wslink::{service};

#[derive(serde::Serialize)]
struct Opaque;

struct Render;

#[service(schema)]
impl Render {
    #[rpc("my.image")]
    fn image(&self, _client: wslink::Client) -> Result<Opaque, wslink::Internal> {
        Ok(Opaque)
    }
}

fn main() {}
