//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(internal)]
    Io(#[from(std::io::Error)] std::io::Error),
}

fn main() {}
