//! errors: 1

use wslink::RpcError;

#[derive(RpcError)]
union Failed {
    a: u8,
    b: u8,
}

fn main() {}
