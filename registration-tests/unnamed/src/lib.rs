//! A service that only its registration could tell of.

use wslink::{rpc, service};

pub struct Unnamed;

#[service]
impl Unnamed {
    #[rpc("unnamed.call")]
    fn call(&self) {}
}
