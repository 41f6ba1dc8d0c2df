//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    NoCamera { name: String },
}

fn main() {}
