//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(message = "no camera in {view}")]
    NoCamera,
}

fn main() {}
