//! Small calls of a client to which large events stream.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{M, Measured};
use crate::Result;
use crate::inbox::Inbox;
use crate::peer::Peer;
use crate::statistics::quantile;

/// One event each. One that is due while the one before is still on its way waits for that.
const PERIOD: Duration = Duration::from_millis(33);

/// Longer than any measurement; only a peer that hangs is waited for so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Read at once. A client that reads more answers later what stands in front of it.
const BUFFER: usize = 64 * 1024;

/// The events, and the calls that began while one was on its way.
#[derive(Clone, Debug, Default)]
pub struct Meeting {
    /// How long each call took, µs.
    pub calls: Vec<f64>,
    /// The longest time that each event kept an answer from coming, µs: to one of these calls, or to the request for
    /// the event, after which the first of them begins.
    pub longest: Vec<f64>,
    /// How long each event took from being asked for to its last byte, µs.
    pub events: Vec<f64>,
}

pub fn run(peer: &Peer, size: usize, time: Duration) -> Result<Measured> {
    let mut caller = Caller::connect(peer, size)?;
    let (add, event) = (peer.protocol.add(), peer.protocol.stream(size, 1));
    let (mut calm, mut times, mut meeting) = (Vec::new(), Vec::new(), Meeting::default());
    let begin = Instant::now();
    while begin.elapsed() < time / 2 {
        calm.push(caller.request(&add)?);
    }
    let begin = Instant::now();
    let mut next = begin;
    while begin.elapsed() < time {
        let now = Instant::now();
        if now >= next && !caller.is_awaiting() {
            next = now.max(next + PERIOD);
            caller.asked = Some(now);
            meeting.longest.push(caller.request(&event)?);
        }
        let meets = caller.is_awaiting();
        let micros = caller.request(&add)?;
        times.push(micros);
        if let Some(longest) = meeting.longest.last_mut().filter(|_| meets) {
            meeting.calls.push(micros);
            *longest = longest.max(micros);
        }
    }
    let rate = times.len() as f64 / begin.elapsed().as_secs_f64();
    // What is still on its way must not disturb the next server.
    while caller.is_awaiting() {
        caller.read()?;
    }
    meeting.events = caller.events;
    let calm_p99 = quantile(&mut calm, 0.99);
    let [p50, p99] = [0.5, 0.99].map(|part| quantile(&mut times, part));
    let latency = Some([p50, p99, calm_p99]);
    Ok(Measured { cost: p99 / calm_p99, rate, latency, meeting: Some(meeting), ..Measured::default() })
}

/// A client with one call at a time, which makes the next one as soon as it sees the answer.
struct Caller {
    stream: TcpStream,
    inbox: Inbox,
    buffer: Vec<u8>,
    /// When the event was asked for that is on its way.
    asked: Option<Instant>,
    events: Vec<f64>,
}

impl Caller {
    /// A client that gets events of `size` bytes.
    fn connect(peer: &Peer, size: usize) -> Result<Self> {
        let stream = peer.protocol.open(peer.server.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let inbox = Inbox::new(peer.protocol.framing());
        let mut caller = Self { stream, inbox, buffer: vec![0; BUFFER], asked: None, events: Vec::new() };
        for request in [peer.protocol.greeting(), peer.protocol.subscribe(size)].into_iter().flatten() {
            caller.request(&request)?;
        }
        Ok(caller)
    }

    fn is_awaiting(&self) -> bool {
        self.asked.is_some()
    }

    /// Sends a request and tells after how many µs its answer, a small message, was there.
    fn request(&mut self, bytes: &Bytes) -> Result<f64> {
        let begin = Instant::now();
        self.stream.write_all(bytes)?;
        while !self.read()? {}
        Ok(micros_since(begin))
    }

    /// Waits for bytes and tells whether a small message was among them.
    fn read(&mut self) -> Result<bool> {
        let read = self.stream.read(&mut self.buffer)?;
        if read == 0 {
            return Err("the peer closed the connection".into());
        }
        let mut answered = false;
        self.inbox.feed(&self.buffer[..read], |message| {
            answered |= message.len < M;
            if message.len >= M {
                self.events.extend(self.asked.take().map(micros_since));
            }
        });
        Ok(answered)
    }
}

fn micros_since(begin: Instant) -> f64 {
    begin.elapsed().as_nanos() as f64 / 1e3
}
