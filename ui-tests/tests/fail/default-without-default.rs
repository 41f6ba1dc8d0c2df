//! errors: 1

use serde::Deserialize;
use wslink::{rpc, service};

#[derive(Deserialize)]
struct Quality(u8);

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    fn image(&self, #[arg(default)] quality: Quality) {
        drop(quality);
    }
}

fn main() {}
