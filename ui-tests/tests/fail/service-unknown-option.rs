//! errors: 1

use wslink::service;

struct Render;

#[service(ordred)]
impl Render {}

fn main() {}
