//! errors: 3

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.size")]
    fn size(&self, #[serde(default)] w: u32, #[serde(rename = "type")] kind: u32, #[serde(skip)] h: u32) -> u32 {
        w + kind + h
    }
}

fn main() {}
