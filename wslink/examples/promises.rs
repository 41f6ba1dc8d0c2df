//! The probes with every limit as it is by default: what the promises are tested on.

use std::process::ExitCode;

use wslink::Secret;

#[path = "../tests/it/kit.rs"]
mod kit;

fn main() -> ExitCode {
    wslink::cli::run(|builder| builder.secret(Secret::published()).service(kit::Kit::new))
}
