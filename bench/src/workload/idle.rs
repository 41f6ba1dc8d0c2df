//! Memory of clients that are connected and do nothing.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Measured;
use crate::Result;
use crate::crowd::Crowd;
use crate::peer::Peer;
use crate::process::Server;

/// On a fresh server, which owns no memory from earlier work.
pub fn run(peer: &Peer, count: usize) -> Result<Measured> {
    let server = Server::start(&peer.command, 1)?;
    // The first clients also pay for what all share.
    let mut crowd = Crowd::connect(&*peer.protocol, server.address, 20)?;
    sleep(Duration::from_millis(100));
    let before = server.memory()?;
    let begin = Instant::now();
    crowd.grow(&*peer.protocol, server.address, count)?;
    let elapsed = begin.elapsed();
    sleep(Duration::from_millis(300));
    let memory = server.memory()?;
    let rate = count as f64 / elapsed.as_secs_f64();
    Ok(Measured { cost: (memory - before) / count as f64, rate, memory, ..Measured::default() })
}
