//! Small calls of a client to which large events stream.

use std::time::{Duration, Instant};

use super::{M, Measured, fan_out};
use crate::Result;
use crate::crowd::Crowd;
use crate::peer::Peer;
use crate::statistics::quantile;

/// One event each.
const PERIOD: Duration = Duration::from_millis(33);

pub fn run(peer: &Peer, size: usize, time: Duration) -> Result<Measured> {
    let mut crowd = Crowd::connect(&*peer.protocol, peer.server.address, 1)?;
    fan_out::subscribe(&mut crowd, peer, size)?;
    let mut calm = Caller::default();
    calm.call_for(&mut crowd, peer, time / 2)?;
    let event = peer.protocol.stream(size, 1);
    let mut caller = Caller::default();
    let begin = Instant::now();
    let mut next = begin;
    while begin.elapsed() < time {
        if begin.elapsed() >= next - begin {
            next += PERIOD;
            crowd.send(0, &event);
            caller.answer(&mut crowd)?;
        }
        caller.call(&mut crowd, peer)?;
    }
    let rate = caller.times.len() as f64 / begin.elapsed().as_secs_f64();
    let calm_p99 = quantile(&mut calm.times, 0.99);
    let [p50, p99] = [0.5, 0.99].map(|part| quantile(&mut caller.times, part));
    Ok(Measured { cost: p99 / calm_p99, rate, latency: Some([p50, p99, calm_p99]) })
}

#[derive(Default)]
struct Caller {
    times: Vec<f64>,
}

impl Caller {
    fn call_for(&mut self, crowd: &mut Crowd, peer: &Peer, time: Duration) -> Result<()> {
        let begin = Instant::now();
        while begin.elapsed() < time {
            self.call(crowd, peer)?;
        }
        Ok(())
    }

    fn call(&mut self, crowd: &mut Crowd, peer: &Peer) -> Result<()> {
        let begin = Instant::now();
        crowd.send(0, &peer.protocol.add());
        self.answer(crowd)?;
        self.times.push(begin.elapsed().as_nanos() as f64 / 1e3);
        Ok(())
    }

    /// Waits for a small message.
    fn answer(&self, crowd: &mut Crowd) -> Result<()> {
        let mut answered = false;
        while !answered {
            crowd.step(&mut |_, message| answered |= message.len < M)?;
        }
        Ok(())
    }
}
