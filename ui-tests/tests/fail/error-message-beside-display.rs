//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
#[rpc_error(display)]
enum RenderError {
    #[rpc_error(message = "no camera")]
    NoCamera,
}

impl std::fmt::Display for RenderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no camera")
    }
}

fn main() {}
