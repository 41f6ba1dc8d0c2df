//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
#[rpc_error(display)]
enum RenderError {
    NoCamera,
}

fn main() {}
