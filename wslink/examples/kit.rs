//! A server of probes, for tests of clients.

use std::process::ExitCode;

use wslink::{Limits, Secret};

#[path = "../tests/it/kit.rs"]
mod kit;

fn main() -> ExitCode {
    // Stock clients of protocol 1 send an attachment in one frame, whatever its size.
    let mut limits = Limits::default();
    limits.frame_bytes = 64 << 20;
    limits.attachment_bytes = 64 << 20;
    wslink::cli::run(|builder| builder.secret(Secret::published()).limits(limits).service(kit::Kit::new))
}
