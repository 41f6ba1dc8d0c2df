//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(mesage = "no camera")]
    NoCamera,
}

fn main() {}
