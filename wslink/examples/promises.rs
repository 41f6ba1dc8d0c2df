//! The probes with every limit as it is by default: what the promises are tested on.

use std::process::ExitCode;

use futures_util::{Stream, stream};
use wslink::{Secret, Value, service};

#[path = "../tests/it/kit.rs"]
mod kit;

/// Streams that keep what they were asked for.
struct Filters;

#[service]
impl Filters {
    #[topic("filters.silent")]
    fn silent(&self, filter: Value) -> impl Stream<Item = Value> + Send + use<> {
        stream::once(async {
            std::future::pending::<()>().await;
            filter
        })
    }
}

fn main() -> ExitCode {
    wslink::cli::run(|builder| builder.secret(Secret::published()).service(kit::Kit::new).mount(Filters))
}
