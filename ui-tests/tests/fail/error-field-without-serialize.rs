//! errors: 1

use wslink::RpcError;

#[derive(Debug)]
struct View;

#[derive(Debug, RpcError)]
enum RenderError {
    NoCamera { view: View },
}

fn main() {}
