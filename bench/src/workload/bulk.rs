//! Large results and arguments, one call at a time.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Measured;
use crate::Result;
use crate::crowd::Crowd;
use crate::peer::Peer;

/// Repeats a request that moves `size` bytes.
pub fn run(peer: &Peer, request: &Bytes, size: usize, time: Duration) -> Result<Measured> {
    const LEAST: usize = 3;
    let mut crowd = Crowd::connect(&*peer.protocol, peer.server.address, 1)?;
    for _ in 0..2 {
        crowd.call(0, request)?;
    }
    let before = peer.server.cpu()?;
    let begin = Instant::now();
    let mut count = 0;
    while count < LEAST || begin.elapsed() < time {
        crowd.call(0, request)?;
        count += 1;
    }
    let elapsed = begin.elapsed();
    let cpu = peer.server.cpu()? - before;
    let bytes = (count * size) as f64;
    Ok(Measured { cost: cpu.as_secs_f64() * 1e12 / bytes, rate: bytes / 1e6 / elapsed.as_secs_f64(), ..Measured::default() })
}
