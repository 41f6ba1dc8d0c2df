//! errors: 1

use wslink::{rpc, service};

struct Render<'a>(&'a str);

#[service]
impl Render<'_> {
    #[rpc("my.draw")]
    fn draw(&self) -> usize {
        self.0.len()
    }
}

fn main() {}
