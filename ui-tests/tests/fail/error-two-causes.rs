//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(internal)]
    Io { source: std::io::Error, #[from] other: std::fmt::Error },
}

fn main() {}
