//! Small calls: `bench.add`.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Measured;
use crate::Result;
use crate::crowd::Crowd;
use crate::peer::Peer;
use crate::statistics::quantile;

/// One call after the other.
pub fn latency(peer: &Peer, time: Duration) -> Result<Measured> {
    let mut crowd = Crowd::connect(&*peer.protocol, peer.server.address, 1)?;
    let request = peer.protocol.add();
    let mut times = Vec::new();
    let begin = Instant::now();
    let mut sent = begin;
    while sent - begin < time {
        crowd.call(0, &request)?;
        let received = Instant::now();
        times.push((received - sent).as_nanos() as f64 / 1e3);
        sent = received;
    }
    // The first calls find everything cold.
    let times = &mut times[100..];
    let rate = 1e6 * times.len() as f64 / times.iter().sum::<f64>();
    let latency = [0.5, 0.99, 0.999].map(|part| quantile(times, part));
    Ok(Measured { cost: latency[0], rate, latency: Some(latency), ..Measured::default() })
}

/// As many calls in flight all the time.
pub fn pipelined(peer: &Peer, connections: usize, in_flight: usize, time: Duration) -> Result<Measured> {
    let mut crowd = Crowd::connect(&*peer.protocol, peer.server.address, connections)?;
    let request = peer.protocol.add();
    for client in (0..connections).cycle().take(connections * in_flight) {
        crowd.send(client, &request);
    }
    keep_calling(&mut crowd, &request, time / 4)?;
    let before = peer.server.cpu()?;
    let begin = Instant::now();
    let count = keep_calling(&mut crowd, &request, time)? as f64;
    let elapsed = begin.elapsed();
    let cpu = peer.server.cpu()? - before;
    // What is still in flight must not disturb the next server.
    let mut left = connections * in_flight;
    while left > 0 {
        crowd.step(&mut |_, _| left -= 1)?;
    }
    Ok(Measured { cost: cpu.as_secs_f64() * 1e6 / count, rate: count / elapsed.as_secs_f64(), ..Measured::default() })
}

/// Answers each reply with the next call. Returns the number of replies.
fn keep_calling(crowd: &mut Crowd, request: &Bytes, time: Duration) -> Result<usize> {
    let begin = Instant::now();
    let (mut count, mut answered) = (0, Vec::new());
    while begin.elapsed() < time {
        crowd.step(&mut |client, _| answered.push(client))?;
        count += answered.len();
        for client in answered.drain(..) {
            crowd.send(client, request);
        }
    }
    Ok(count)
}
