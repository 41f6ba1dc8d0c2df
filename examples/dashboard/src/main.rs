//! Machines that are watched: one service that uses what the protocol offers beyond the original one.

use std::process::ExitCode;

use wslink::Secret;

#[allow(dead_code, reason = "its client is for other programs, and for the tests")]
mod dashboard;
mod machines;
#[cfg(test)]
mod tests;

fn main() -> ExitCode {
    // The page is for everybody who can reach the server.
    wslink::cli::program!().run(|builder| builder.secret(Secret::published()).service(dashboard::Dashboard::running))
}
