//! Properties that hold whatever a peer sends, checked by the fuzz targets in `fuzz/` and by `tests/smoke.rs`.
//!
//! Each property is a function of bytes that panics where it does not hold.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a property that cannot go on does not hold")]

use bytes::Bytes;
use peak_alloc::PeakAlloc;
use wslink_core::{
    Limits,
    wire::{Decoder, FrameKind, Incoming, Message, Protocol, Violation},
};

pub use self::{
    binding::binding,
    chunks::{chunk_ranges, chunks},
    frames::{fragments, frames},
    http::{forwarded, origins, paths},
    messages::{messages_v1, messages_v2, requests_v1, requests_v2},
    values::values,
};

mod binding;
mod chunks;
mod frames;
mod http;
mod messages;
mod values;

/// A decoder of an authenticated peer.
fn authenticated(protocol: &dyn Protocol, limits: &Limits) -> Box<dyn Decoder> {
    let mut decoder = protocol.decoder(limits);
    decoder.authenticated();
    decoder
}

/// The message that the next frame completes, and its parts.
fn next(decoder: &mut dyn Decoder, kind: FrameKind, payload: Bytes) -> Result<Option<(Message, Incoming)>, Violation> {
    let mut incoming = decoder.blank();
    Ok(decoder.decode(kind, payload, &mut incoming)?.map(|message| (message, incoming)))
}

/// A property.
pub struct Target {
    /// Also the name of the folder of its corpus.
    pub name: &'static str,
    /// Panics where it does not hold.
    pub check: fn(&[u8]),
}

/// Every property.
pub const TARGETS: &[Target] = &[
    Target { name: "binding", check: binding },
    Target { name: "chunk_ranges", check: chunk_ranges },
    Target { name: "chunks", check: chunks },
    Target { name: "forwarded", check: forwarded },
    Target { name: "fragments", check: fragments },
    Target { name: "frames", check: frames },
    Target { name: "messages_v1", check: messages_v1 },
    Target { name: "messages_v2", check: messages_v2 },
    Target { name: "origins", check: origins },
    Target { name: "paths", check: paths },
    Target { name: "requests_v1", check: requests_v1 },
    Target { name: "requests_v2", check: requests_v2 },
    Target { name: "values", check: values },
];

/// What decoding may cost whatever it is given: maps and queues that have only begun.
const FIXED: usize = 64 * 1024;

/// Runs `decode`, at whose height no more than `times` the `bytes` that it is given, and [`FIXED`], may be
/// allocated. Measured where the program's allocator is [`PeakAlloc`].
fn within<T>(times: usize, bytes: usize, decode: impl FnOnce() -> T) -> T {
    let before = PeakAlloc.current_usage();
    PeakAlloc.reset_peak_usage();
    let decoded = decode();
    let used = PeakAlloc.peak_usage().saturating_sub(before);
    assert!(used <= times * bytes + FIXED, "{used} bytes of memory for {bytes}");
    decoded
}
