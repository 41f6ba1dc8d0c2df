//! errors: 1

use wslink::RpcError;

#[derive(Debug, RpcError)]
struct Failed<T> {
    value: T,
}

fn main() {}
