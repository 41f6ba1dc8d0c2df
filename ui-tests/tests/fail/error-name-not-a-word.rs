//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(name = "NoCamera")]
    NoCamera,
}

fn main() {}
