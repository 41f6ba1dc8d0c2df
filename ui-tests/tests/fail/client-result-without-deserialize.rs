//! errors: 1

use wslink::{rpc, service};

#[derive(serde::Serialize)]
struct Size {
    _width: u32,
}

struct Render;

#[service(client)]
impl Render {
    #[rpc("my.size")]
    fn size(&self) -> Result<Size, wslink::Internal> {
        Ok(Size { _width: 1 })
    }
}

fn main() {}
