//! The measured server with the allocator of the system.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    wslink_example_bench_server::run()
}
