//! errors: 1

use wslink::{RpcError, rpc, service};

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(code = "404")]
    NoCamera,
    #[rpc_error(internal)]
    Io(#[from] std::io::Error),
}

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self) -> Result<Vec<u8>, RenderError> {
        Ok(std::fs::read("image")?)
    }
}

fn main() {}
