//! The original `simple` example of wslink: arithmetic, images, binary data and a stream.

use std::process::ExitCode;

use wslink::Secret;

mod arithmetic;
mod protocol;
mod stream;

fn main() -> ExitCode {
    // Everybody knows this secret; clients of the original example use it without being told.
    wslink::cli::program!().run(|builder| builder.secret(Secret::published()).manifest(true).service(protocol::MyProtocol::new))
}
