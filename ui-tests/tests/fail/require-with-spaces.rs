//! errors: 1

use wslink::service;

struct S;

#[service]
impl S {
    #[rpc("s.a", require = " editor")]
    fn a(&self) {}
}

fn main() {}
