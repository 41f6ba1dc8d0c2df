//! Frames at a rate on a `latest` topic, to clients that keep up and clients on a slow link.

use std::io::Read;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt::RcvBuf};

use super::M;
use crate::Result;
use crate::crowd::Crowd;
use crate::inbox::{Inbox, Message};
use crate::peer::Peer;
use crate::process::Server;
use crate::protocol::wslink::{SEQUENCE_AT, frames_at_a_rate};
use crate::report::figure;
use crate::statistics::quantile;

const PERIOD: Duration = Duration::from_millis(33);

/// Bytes per second of a link with 10 Mbit/s.
const SLOW: usize = 1_250_000;

/// Frames with the time of their arrival.
type Arrivals = Vec<(u64, Instant)>;

/// Fast and slow clients: one of each, many of each, and as many fast ones without the slow.
const CROWDS: [(usize, usize); 3] = [(1, 1), (40, 0), (40, 10)];

/// Runs the workload on our server, and the largest part of it on the original one if that is there.
pub fn run(ours: &Peer, original: Option<&Peer>, time: Duration) -> Result<String> {
    let time = time.max(Duration::from_secs(4));
    let mut text = String::from(
        "Frames of 1 MiB, 30 a second, on a `latest` topic; slow clients read 10 Mbit/s, so that a frame takes 0.84 s. \
         The original server has no such topics:\n\n\
         | server | fast + slow clients | fast: frames missing | fast: late by p50 ms | p99 ms | \
         slow: frames each | slow: age at the end p50 s | max s | server memory MiB |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for (fast, slow) in CROWDS {
        text += &measure(ours, fast, slow, time)?;
    }
    if let Some(original) = original {
        text += &measure(original, 40, 10, time)?;
    }
    Ok(text)
}

fn measure(peer: &Peer, fast: usize, slow: usize, time: Duration) -> Result<String> {
    let server = Server::start(&peer.command, 1)?;
    let count = (time.as_secs_f64() / PERIOD.as_secs_f64()) as usize;
    let request = frames_at_a_rate(M, count, PERIOD.as_millis() as usize);
    let mut crowd = Crowd::connect(&*peer.protocol, server.address, fast)?;
    let over = AtomicBool::new(false);
    let mut links = Vec::new();
    for _ in 0..slow {
        let stream = peer.protocol.open(server.address)?;
        setsockopt(&stream, RcvBuf, &(64 * 1024))?;
        std::io::Write::write_all(&mut &stream, &peer.protocol.greeting().unwrap_or_default())?;
        links.push((stream, Inbox::new(peer.protocol.framing())));
    }
    let mut memory: f64 = 0.0;
    let mut arrivals = Arrivals::new();
    let slow_arrivals: Vec<Arrivals> = scope(|scope| {
        let threads: Vec<_> =
            links.into_iter().map(|(stream, inbox)| scope.spawn(|| read_slowly(stream, inbox, &over))).collect();
        crowd.send(0, &request);
        let begin = Instant::now();
        while begin.elapsed() < time + PERIOD {
            crowd.step_until(PERIOD, &mut |client, message| {
                arrivals.extend(number(message).filter(|_| client == 0).map(|number| (number, Instant::now())));
            })?;
            memory = memory.max(server.memory()?);
        }
        over.store(true, Ordering::Relaxed);
        Result::Ok(threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect())
    })?;
    let first = arrivals.iter().map(|(number, at)| *at - PERIOD * *number as u32).min().ok_or("no frame came")?;
    let age = |(number, at): &(u64, Instant)| (*at - first).as_secs_f64() - PERIOD.as_secs_f64() * *number as f64;
    let mut late: Vec<f64> = arrivals.iter().map(age).collect();
    let mut ages: Vec<f64> = slow_arrivals.iter().flatten().map(age).collect();
    let missing = count - arrivals.len().min(count);
    let [p50, p99] = [0.5, 0.99].map(|part| figure(quantile(&mut late, part) * 1e3));
    let frames = figure(ages.len() as f64 / slow as f64);
    let [middle, most] = [0.5, 1.0].map(|part| figure(quantile(&mut ages, part)));
    let memory = memory / 1024.0;
    Ok(format!(
        "| {} | {fast} + {slow} | {missing} of {count} | {p50} | {p99} | {frames} | {middle} | {most} | {memory:.0} |\n",
        peer.name
    ))
}

fn number(message: Message<'_>) -> Option<u64> {
    (message.len > M).then(|| message.number(SEQUENCE_AT))?
}

/// Reads as a slow link would deliver.
fn read_slowly(mut stream: TcpStream, mut inbox: Inbox, over: &AtomicBool) -> Arrivals {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut buffer = vec![0; SLOW / 100];
    let (mut arrivals, begin, mut read) = (Arrivals::new(), Instant::now(), 0);
    while !over.load(Ordering::Relaxed) {
        let allowed = (begin.elapsed().as_secs_f64() * SLOW as f64) as usize;
        let _ = stream.set_read_timeout(Some(PAUSE));
        if read < allowed {
            let limit = buffer.len().min(allowed - read);
            if let Ok(here @ 1..) = stream.read(&mut buffer[..limit]) {
                read += here;
                inbox.feed(&buffer[..here], |message| arrivals.extend(number(message).map(|number| (number, Instant::now()))));
                continue;
            }
            // What was not there in time cannot be caught up.
            read = (begin.elapsed().as_secs_f64() * SLOW as f64) as usize;
        }
        sleep(PAUSE / 4);
    }
    arrivals
}
