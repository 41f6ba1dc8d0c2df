//! errors: 1

use wslink::service;

struct S;

#[service]
impl S {
    #[rpc("s.a", require = "")]
    fn a(&self) {}
}

fn main() {}
