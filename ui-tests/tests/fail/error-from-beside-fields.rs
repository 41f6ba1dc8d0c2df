//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
enum RenderError {
    Io { path: String, #[from] cause: std::io::Error },
}

fn main() {}
