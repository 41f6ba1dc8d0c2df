//! A chat room with presence and typing indicators.

use std::process::ExitCode;

use wslink::Secret;

mod room;
#[cfg(test)]
mod tests;

fn main() -> ExitCode {
    // The room is for everybody who can reach the server.
    wslink::cli::program!().run(|builder| builder.secret(Secret::published()).manifest(true).service(room::Room::new))
}
