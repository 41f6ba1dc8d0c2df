//! errors: 1

use wslink::service;

struct Render;

#[service("my.render")]
impl Render {}

fn main() {}
