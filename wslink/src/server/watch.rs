//! The clock of one connection: hello, ping, stalls, grace.
//!
//! The hot path only sets flags; a timer that fires a few times per ping interval turns them into
//! times. So a deadline is met with the resolution of one tick.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use crate::Limits;

pub(super) struct Watch {
    timer: Pin<Box<Sleep>>,
    tick: Duration,
    hello: Option<Instant>,
    grace: Option<Instant>,
    grace_period: Duration,
    heard: bool,
    wrote: bool,
    assembled: bool,
    incomplete: bool,
    pinged: bool,
    silence: Stopwatch,
    write_stall: Stopwatch,
    incomplete_stall: Stopwatch,
    ping_after: Duration,
    dead_after: Duration,
}

/// What it is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    HelloMissing,
    Incomplete,
    Silent,
    WriteStalled,
    GraceOver,
}

/// Time since something last happened.
struct Stopwatch {
    since: Instant,
    limit: Duration,
}

impl Stopwatch {
    const fn new(now: Instant, limit: Duration) -> Self {
        Self { since: now, limit }
    }

    /// Starts anew when `happened`; tells whether the time is up.
    fn check(&mut self, now: Instant, happened: bool) -> bool {
        if happened {
            self.since = now;
        }
        now.duration_since(self.since) >= self.limit
    }
}

impl Watch {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        let tick = (limits.ping.min(limits.pong).min(limits.write_stall) / 4).max(Duration::from_millis(10));
        let hello = now + limits.hello;
        Self {
            timer: Box::pin(sleep_until(hello.min(now + tick))),
            tick,
            hello: Some(hello),
            grace: None,
            grace_period: limits.grace,
            heard: false,
            wrote: false,
            assembled: false,
            incomplete: false,
            pinged: false,
            silence: Stopwatch::new(now, limits.ping),
            write_stall: Stopwatch::new(now, limits.write_stall),
            incomplete_stall: Stopwatch::new(now, limits.incomplete_stall),
            ping_after: limits.ping,
            dead_after: limits.ping + limits.pong,
        }
    }

    /// Something was read.
    pub(super) const fn heard(&mut self) {
        self.heard = true;
    }

    /// Something was written.
    pub(super) const fn wrote(&mut self) {
        self.wrote = true;
    }

    /// A data frame was taken in.
    pub(super) const fn received(&mut self, authenticated: bool, incomplete: usize) {
        if authenticated {
            self.hello = None;
        }
        self.assembled = true;
        self.incomplete = incomplete > 0;
    }

    /// The server stops.
    pub(super) fn stopping(&mut self, now: Instant) {
        let grace = now + self.grace_period;
        self.grace = Some(grace);
        if grace < self.timer.deadline() {
            self.timer.as_mut().reset(grace);
        }
    }

    /// Ready when a tick has passed; must be polled again after it was. `waiting` says whether
    /// anything waits to be written.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, waiting: bool) -> Poll<Due> {
        if self.timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let now = Instant::now();
        let due = self.due(now, waiting);
        let next = [self.hello, self.grace].into_iter().flatten().fold(now + self.tick, Instant::min);
        self.timer.as_mut().reset(next);
        Poll::Ready(due)
    }

    fn due(&mut self, now: Instant, waiting: bool) -> Due {
        let heard = std::mem::take(&mut self.heard);
        let wrote = std::mem::take(&mut self.wrote);
        let assembled = std::mem::take(&mut self.assembled);
        // A peer that takes bytes is alive, even when it is not read from.
        let silent = self.silence.check(now, heard || wrote);
        let stalled = self.write_stall.check(now, wrote || !waiting);
        let incomplete = self.incomplete_stall.check(now, assembled || !self.incomplete);
        if heard || wrote {
            self.pinged = false;
            self.silence.limit = self.ping_after;
        }
        if self.grace.is_some_and(|grace| now >= grace) {
            return Due::GraceOver;
        }
        if self.hello.is_some_and(|hello| now >= hello) {
            return Due::HelloMissing;
        }
        if incomplete {
            return Due::Incomplete;
        }
        if silent && self.pinged {
            return Due::Silent;
        }
        if silent {
            self.pinged = true;
            self.silence.limit = self.dead_after;
            return Due::Ping;
        }
        if stalled { Due::WriteStalled } else { Due::Nothing }
    }
}
