//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
#[rpc_error(code = 404)]
enum RenderError {
    NoCamera,
}

fn main() {}
