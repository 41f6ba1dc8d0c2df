//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(code = "404")]
    NoCamera,
}

fn main() {}
