//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(code = 4_000_000_000)]
    NoCamera,
}

fn main() {}
