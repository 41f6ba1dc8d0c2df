//! CPU of clients that are connected and do nothing: pings, and looking at the clock.

use std::time::{Duration, Instant};

use crate::Result;
use crate::crowd::Crowd;
use crate::peer::Peer;
use crate::report::figure;

/// Of each server.
const CLIENTS: usize = 1000;

/// How long it takes until clients that were connected at once are where they stay.
const CALM: Duration = Duration::from_secs(5);

/// Two periods of our pings, which come every 22.5 s: 20 s after the clock has seen the answer to the last one, 2.5 s late.
const TIME: Duration = Duration::from_secs(45);

/// Measures all servers at the same time: they need so little that none disturbs the others.
pub fn run(peers: &[Peer]) -> Result<String> {
    let connect = |peer: &Peer| Crowd::connect(&*peer.protocol, peer.server.address, CLIENTS);
    let mut crowds = peers.iter().map(connect).collect::<Result<Vec<_>>>()?;
    answer_pings(&mut crowds, CALM)?;
    let cpu = || peers.iter().map(|peer| peer.server.cpu()).collect::<Result<Vec<_>>>();
    let before = cpu()?;
    answer_pings(&mut crowds, TIME)?;
    let mut text = format!("CPU of {CLIENTS} idle connections, µs per connection and second:\n\n| server | CPU |\n|---|---:|");
    for ((peer, before), after) in peers.iter().zip(before).zip(cpu()?) {
        let micros = (after - before).as_secs_f64() * 1e6 / CLIENTS as f64 / TIME.as_secs_f64();
        text += &format!("\n| {} | {} |", peer.name, figure(micros));
    }
    Ok(text)
}

fn answer_pings(crowds: &mut [Crowd], time: Duration) -> Result<()> {
    let begin = Instant::now();
    while begin.elapsed() < time {
        for crowd in &mut *crowds {
            crowd.step_until(Duration::from_millis(20), &mut |_, _| {})?;
        }
    }
    Ok(())
}
