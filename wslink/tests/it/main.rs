//! Servers over loopback, spoken to frame by frame.
#![allow(
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "tests read better so, and one that cannot go on has failed"
)]

mod authentication;
mod authority;
#[cfg(feature = "testing")]
mod bounds;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod connecting;
#[cfg(feature = "testing")]
mod connector;
mod content;
mod crowd;
#[cfg(feature = "client")]
mod extensions;
#[cfg(all(feature = "client", feature = "manifest"))]
mod gallery;
#[cfg(feature = "testing")]
mod golden;
mod harness;
mod hostile;
mod http;
#[cfg(all(feature = "client", feature = "inspector"))]
mod inspector;
mod kit;
#[cfg(unix)]
mod lifecycle;
mod listeners;
#[cfg(all(feature = "client", feature = "manifest"))]
mod manifest;
mod negotiated;
mod observed;
mod ordered;
mod panics;
mod presence;
mod principals;
#[cfg(feature = "prometheus")]
mod prometheus;
mod proxies;
#[cfg(feature = "client")]
mod python;
#[cfg(feature = "testing")]
mod refreshed;
#[cfg(feature = "testing")]
mod resume;
#[cfg(feature = "testing")]
mod rfc6455;
mod serving;
#[cfg(feature = "client")]
mod session;
mod stalled;
#[cfg(feature = "testing")]
mod stopping;
#[cfg(feature = "testing")]
mod testing;
#[cfg(feature = "testing")]
mod turns;
#[cfg(all(feature = "client", feature = "manifest"))]
mod typed;
#[cfg(feature = "testing")]
mod wakes;

// The services of the examples, which the recorded exchanges call.
#[path = "../../../examples/simple/src/arithmetic.rs"]
mod arithmetic;
#[path = "../../../examples/chat/src/chat.rs"]
mod chat;
#[path = "../../../examples/simple/src/protocol.rs"]
mod protocol;
#[path = "../../../examples/simple/src/stream.rs"]
mod stream;
