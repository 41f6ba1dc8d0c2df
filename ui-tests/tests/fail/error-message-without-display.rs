//! errors: 1

use wslink::RpcError;

#[derive(Debug, serde::Serialize)]
struct View;

#[derive(Debug, RpcError)]
enum RenderError {
    #[rpc_error(message = "no camera in {view}")]
    NoCamera { view: View },
}

fn main() {}
