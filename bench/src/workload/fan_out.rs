//! One publisher, many subscribers.

use std::time::{Duration, Instant};

use super::Measured;
use crate::Result;
use crate::crowd::Crowd;
use crate::peer::Peer;

/// Publishes in streams until the time is over.
pub fn run(peer: &Peer, subscribers: usize, size: usize, time: Duration) -> Result<Measured> {
    let mut crowd = Crowd::connect(&*peer.protocol, peer.server.address, subscribers)?;
    subscribe(&mut crowd, peer, size)?;
    // A warm-up tells how many events fill the time.
    let mut count = 4;
    let begin = Instant::now();
    stream(&mut crowd, peer, size, count)?;
    let mut elapsed = begin.elapsed();
    while elapsed < time / 8 {
        count *= 2;
        let begin = Instant::now();
        stream(&mut crowd, peer, size, count)?;
        elapsed = begin.elapsed();
    }
    count = ((count as f64 * time.as_secs_f64() / elapsed.as_secs_f64()) as usize).max(4);
    let before = peer.server.cpu()?;
    let begin = Instant::now();
    stream(&mut crowd, peer, size, count)?;
    let elapsed = begin.elapsed();
    let cpu = peer.server.cpu()? - before;
    let events = (count * subscribers) as f64;
    Ok(Measured { cost: cpu.as_secs_f64() * 1e6 / events, rate: events / elapsed.as_secs_f64(), ..Measured::default() })
}

/// Every client subscribes.
pub fn subscribe(crowd: &mut Crowd, peer: &Peer, size: usize) -> Result<()> {
    if let Some(request) = peer.protocol.subscribe(size) {
        for client in 0..crowd.len() {
            crowd.call(client, &request)?;
        }
    }
    Ok(())
}

/// Waits for all events at all clients, and for the answer to the one that asked for them.
fn stream(crowd: &mut Crowd, peer: &Peer, size: usize, count: usize) -> Result<()> {
    crowd.send(0, &peer.protocol.stream(size, count));
    let mut left = count * crowd.len() + 1;
    while left > 0 {
        crowd.step(&mut |_, _| left -= 1)?;
    }
    Ok(())
}
