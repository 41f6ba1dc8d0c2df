//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(message = "no camera in {}")]
    NoCamera { view: String },
}

fn main() {}
