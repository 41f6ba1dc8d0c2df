//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error("no camera")]
    NoCamera,
}

fn main() {}
