//! errors: 1

use std::cell::Cell;

use wslink::{rpc, service};

struct Counter(Cell<u32>);

#[service]
impl Counter {
    #[rpc("counter.next")]
    fn next(&self) -> u32 {
        self.0.replace(self.0.get() + 1)
    }
}

fn main() {}
