//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(message = 404)]
    NoCamera,
}

fn main() {}
