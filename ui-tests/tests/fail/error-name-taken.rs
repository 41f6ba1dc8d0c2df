//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    NoCamera,
    #[rpc_error(name = "no_camera")]
    Other,
}

fn main() {}
