//! The measured workloads.

mod bulk;
mod calls;
pub mod clients;
mod fan_out;
pub mod frames;
mod idle;
pub mod mixed;
pub mod rest;
pub mod threads;

use std::time::Duration;

use crate::Result;
use crate::peer::Peer;

const K: usize = 1 << 10;
const M: usize = 1 << 20;

/// A kind of load.
#[derive(Clone, Copy, Debug)]
pub enum Workload {
    /// One call at a time; the figure is the median time of a call.
    Latency,
    /// So many connections with so many calls in flight.
    Calls(usize, usize),
    /// Results of so many bytes.
    Blob(usize),
    /// Arguments of so many bytes.
    Upload(usize),
    /// To so many subscribers, events of so many bytes.
    FanOut(usize, usize),
    /// Small calls while large events stream to the same client; the figure is how much longer the
    /// slowest hundredth takes than without events.
    Mixed,
    /// So many clients that do nothing.
    Idle(usize),
}

use Workload::{Blob, Calls, FanOut, Idle, Latency, Mixed, Upload};

/// Every workload that all servers are measured with.
pub const ALL: [Workload; 24] = [
    Latency,
    Calls(1, 64),
    Calls(16, 16),
    Calls(256, 1),
    Calls(1000, 1),
    Blob(64 * K),
    Blob(M),
    Blob(8 * M),
    Blob(64 * M),
    Upload(64 * K),
    Upload(M),
    Upload(8 * M),
    Upload(64 * M),
    FanOut(50, 64),
    FanOut(50, K),
    FanOut(1000, 64),
    FanOut(10, 64 * K),
    FanOut(4, M),
    FanOut(4, 8 * M),
    Mixed,
    Idle(100),
    Idle(1000),
    Idle(3000),
    Idle(10_000),
];

/// The result of one measurement.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// What is compared, in the unit of the workload: smaller is better.
    pub cost: f64,
    /// Operations, or MB, in a second.
    pub rate: f64,
    /// p50, p99 and p99.9 in µs.
    pub latency: Option<[f64; 3]>,
    /// The calls that met a large event.
    pub meeting: Option<mixed::Meeting>,
    /// KiB that the server has in memory when it is over.
    pub memory: f64,
}

impl Workload {
    pub fn name(self) -> String {
        match self {
            Latency => "latency 1×1".into(),
            Calls(connections, in_flight) => format!("rpc {connections}×{in_flight}"),
            Blob(size) => format!("blob {}", self::size(size)),
            Upload(size) => format!("upload {}", self::size(size)),
            FanOut(subscribers, size) => format!("fan-out {subscribers}×{}", self::size(size)),
            Mixed => "call while 8 MiB events come".into(),
            Idle(count) => format!("idle {count}"),
        }
    }

    pub fn unit(self) -> &'static str {
        match self {
            Latency => "p50 µs",
            Calls(..) => "µs/call",
            Blob(_) | Upload(_) => "ms/GB",
            FanOut(..) => "µs/event",
            Mixed => "p99 / calm p99",
            Idle(_) => "KiB/connection",
        }
    }

    pub fn rate_unit(self) -> &'static str {
        match self {
            Latency | Calls(..) | Mixed => "calls",
            Blob(_) | Upload(_) => "MB",
            FanOut(..) => "events",
            Idle(_) => "connections",
        }
    }

    /// Whether one round tells as much as several.
    pub fn is_steady(self) -> bool {
        matches!(self, Idle(_))
    }

    /// Whether a quick run leaves it out.
    pub fn is_long(self) -> bool {
        matches!(self, Calls(1000, _) | FanOut(1000, _) | Idle(100 | 3000 | 10_000))
    }

    pub fn run(self, peer: &Peer, time: Duration) -> Result<Measured> {
        let measured = match self {
            Latency => calls::latency(peer, time),
            Calls(connections, in_flight) => calls::pipelined(peer, connections, in_flight, time),
            Blob(size) => bulk::run(peer, &peer.protocol.blob(size), size, time),
            Upload(size) => bulk::run(peer, &peer.protocol.upload(size), size, time),
            FanOut(subscribers, size) => fan_out::run(peer, subscribers, size, time),
            Mixed => mixed::run(peer, 8 * M, time),
            Idle(count) => idle::run(peer, count),
        };
        let mut measured = measured.map_err(|error| format!("{} of {}: {error}", self.name(), peer.name))?;
        if !matches!(self, Idle(_)) {
            measured.memory = peer.server.memory()?;
        }
        Ok(measured)
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        0..K => format!("{bytes} B"),
        K..M => format!("{} KiB", bytes / K),
        _ => format!("{} MiB", bytes / M),
    }
}
