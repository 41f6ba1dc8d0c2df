//! errors: 1

use wslink::service;

#[service]
struct Render {
    quality: u8,
}

fn main() {}
