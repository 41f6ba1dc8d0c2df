//! errors: 1

use wslink::service;

struct Render;

#[service(crate = "wslink")]
impl Render {}

fn main() {}
