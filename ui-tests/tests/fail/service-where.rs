//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render
where
    Self: Sized,
{
    #[rpc("my.image")]
    fn image(&self) {}
}

fn main() {}
