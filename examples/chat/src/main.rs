//! The original `chat` example of wslink: one topic that everybody hears, and a server that talks.

use std::process::ExitCode;

use wslink::Secret;

mod chat;

fn main() -> ExitCode {
    // Everybody knows this secret; clients of the original example use it without being told.
    wslink::cli::program!().run(|builder| builder.secret(Secret::published()).manifest(true).service(chat::Chat::talking))
}
