//! The server that is measured: `wslink-example-bench-server PORT THREADS`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    wslink_example_bench_server::run()
}
