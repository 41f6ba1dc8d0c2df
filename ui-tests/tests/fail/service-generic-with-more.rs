//! errors: 3

use wslink::{rpc, service};

struct Render<T>(T);

#[service]
impl<T> Render<T> {
    #[rpc("my.Image")]
    fn image(&mut self) {}
}

fn main() {}
