//! errors: 1

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self, #[arg(default = self.quality())] quality: u8) -> u8 {
        quality
    }

    fn quality(&self) -> u8 {
        90
    }
}

fn main() {}
