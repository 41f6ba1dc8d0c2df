//! Servers over loopback, spoken to frame by frame.
#![allow(
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "tests read better so, and one that cannot go on has failed"
)]

mod golden;
mod harness;
mod hostile;
mod http;
mod kit;
mod serving;

// The services of the examples, which the recorded exchanges call.
#[path = "../../../examples/simple/src/arithmetic.rs"]
mod arithmetic;
#[path = "../../../examples/chat/src/chat.rs"]
mod chat;
#[path = "../../../examples/simple/src/protocol.rs"]
mod protocol;
#[path = "../../../examples/simple/src/stream.rs"]
mod stream;
