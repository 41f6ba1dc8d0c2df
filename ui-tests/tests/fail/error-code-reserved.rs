//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(code = -32001)]
    NoCamera,
}

fn main() {}
