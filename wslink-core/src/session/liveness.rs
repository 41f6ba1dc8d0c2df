//! Deadlines of a connection: hello, ping, stalls, expiry, grace. Has no clock: it is told the time.

use std::time::{Duration, Instant};

use crate::Limits;

/// The bytes that have passed through the socket of a session, and those that wait in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that were read.
    pub read: u64,
    /// Bytes that the socket took.
    pub written: u64,
    /// Bytes that were handed to the socket's buffer and are not written.
    pub unwritten: usize,
    /// Bytes of a message that the socket is still putting together.
    pub partial: usize,
    /// Whole messages that were read.
    pub messages_read: u64,
    /// Frames that were handed to the socket's buffer.
    pub frames_sent: u64,
}

/// How long a connection may be silent, stalled or unauthenticated.
pub(super) struct Liveness {
    hello: Option<Instant>,
    hello_period: Duration,
    expiry: Option<Instant>,
    expired: bool,
    expiry_grace: Duration,
    grace: Option<Instant>,
    grace_period: Duration,
    heard: Instant,
    pinged: bool,
    ping: Duration,
    pong: Option<Duration>,
    /// Since when the peer takes none of the bytes that wait.
    stalled: Instant,
    write_stall: Duration,
    /// Since when incomplete messages do not grow.
    incomplete: Instant,
    incomplete_stall: Duration,
    traffic: Traffic,
    /// Incomplete messages and their bytes.
    held: (usize, usize),
}

/// A deadline that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Ping,
    HelloMissing,
    Expired,
    NotRefreshed,
    Incomplete,
    Silent,
    WriteStalled,
    GraceOver,
}

/// The earlier of two deadlines, either of which there may be none.
#[inline]
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        _ => one.or(other),
    }
}

/// Part of the grace period that is kept for closing connections.
const FAREWELL: Duration = Duration::from_secs(2);

impl Liveness {
    /// Of a server's end.
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            hello: now.checked_add(limits.hello),
            hello_period: limits.hello,
            expiry: None,
            expired: false,
            expiry_grace: limits.expiry_grace,
            grace: None,
            grace_period: limits.grace.saturating_sub(FAREWELL).max(limits.grace / 2),
            heard: now,
            pinged: false,
            ping: limits.ping,
            pong: Some(limits.pong),
            stalled: now,
            write_stall: limits.write_stall,
            incomplete: now,
            incomplete_stall: limits.incomplete_stall,
            traffic: Traffic::default(),
            held: (0, 0),
        }
    }

    /// Of a client's end, which pings after `ping` of silence, and gives the server up after as much again where
    /// `gives_up` says so. It leaves all other deadlines to its program.
    pub(super) fn client(ping: Duration, now: Instant) -> Self {
        let never = Duration::MAX;
        let limits = Limits::with(|limits| {
            (limits.ping, limits.pong) = (ping, ping);
            (limits.hello, limits.write_stall, limits.incomplete_stall) = (never, never, never);
        });
        Self::new(&limits, now)
    }

    /// Silence is never a reason to give the peer up.
    pub(super) const fn never_give_up(&mut self) {
        self.pong = None;
    }

    /// A hello is being answered, for which there is a time unless it has begun already.
    pub(super) fn greeting(&mut self, now: Instant) {
        self.hello = self.hello.or_else(|| now.checked_add(self.hello_period));
    }

    /// The hello is answered, and none is missing any more.
    pub(super) const fn greeted(&mut self) {
        self.hello = None;
    }

    /// There was a good hello. A lifetime beyond the range of the clock does not expire.
    pub(super) fn good_for(&mut self, lifetime: Option<Duration>, now: Instant) {
        (self.expired, self.expiry) = (false, lifetime.and_then(|lifetime| now.checked_add(lifetime)));
    }

    /// The server stops.
    pub(super) fn stopping(&mut self, now: Instant) {
        self.grace = now.checked_add(self.grace_period);
    }

    /// Takes in what has passed through the socket.
    pub(super) fn update(&mut self, now: Instant, traffic: Traffic, held: (usize, usize)) {
        let last = std::mem::replace(&mut self.traffic, traffic);
        let (heard, took) = (traffic.read != last.read, traffic.written != last.written);
        // Bytes that the system takes show nothing; that it takes more while others wait shows that the peer reads.
        if heard || (took && traffic.unwritten > 0) {
            (self.heard, self.pinged) = (now, false);
        }
        if took || traffic.unwritten == 0 {
            self.stalled = now;
        }
        if traffic.partial != last.partial || held != self.held {
            self.incomplete = now;
        }
        self.held = held;
    }

    const fn is_incomplete(&self) -> bool {
        self.held.0 > 0 || self.traffic.partial > 0
    }

    /// When the silence of the peer is next looked at.
    fn silence(&self) -> Option<Instant> {
        match (self.pinged, self.pong) {
            (false, _) | (true, None) => self.heard.checked_add(self.ping),
            (true, Some(pong)) => self.heard.checked_add(self.ping)?.checked_add(pong),
        }
    }

    /// When the next deadline passes.
    pub(super) fn next(&self) -> Option<Instant> {
        let stall = (self.traffic.unwritten > 0).then(|| self.stalled.checked_add(self.write_stall)).flatten();
        let incomplete = self.is_incomplete().then(|| self.incomplete.checked_add(self.incomplete_stall)).flatten();
        [self.hello, self.expiry, self.grace, self.silence(), stall, incomplete].into_iter().fold(None, earlier)
    }

    /// The process was stopped, or its threads had other work: for `late` nobody could read or write. That is not the
    /// peer's fault.
    pub(super) fn forgive(&mut self, late: Duration) {
        for since in [&mut self.heard, &mut self.stalled, &mut self.incomplete] {
            *since = since.checked_add(late).unwrap_or(*since);
        }
        self.hello = self.hello.and_then(|hello| hello.checked_add(late));
    }

    /// The first deadline that has passed by `now`. A peer from which nothing is `read` cannot be heard: it is pinged, since
    /// a peer that is gone makes writing fail, and not given up for its silence.
    pub(super) fn due(&mut self, now: Instant, read: bool) -> Option<Due> {
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|deadline| now >= deadline);
        if !read {
            self.incomplete = now;
        }
        if passed(self.grace) {
            return Some(Due::GraceOver);
        }
        if passed(self.hello) {
            return Some(Due::HelloMissing);
        }
        if passed(self.expiry) {
            if self.expired {
                return Some(Due::NotRefreshed);
            }
            (self.expired, self.expiry) = (true, now.checked_add(self.expiry_grace));
            return Some(Due::Expired);
        }
        if self.is_incomplete() && passed(self.incomplete.checked_add(self.incomplete_stall)) {
            return Some(Due::Incomplete);
        }
        if self.traffic.unwritten > 0 && passed(self.stalled.checked_add(self.write_stall)) {
            return Some(Due::WriteStalled);
        }
        if !passed(self.silence()) {
            return None;
        }
        // Where the socket takes nothing more, the ping has not reached the peer: the write stall decides, if there is one.
        let stall_decides = self.traffic.unwritten > 0 && self.stalled.checked_add(self.write_stall).is_some();
        let gives_up = self.pong.is_some() && read && !stall_decides;
        if self.pinged && gives_up {
            return Some(Due::Silent);
        }
        if self.pinged || self.pong.is_none() {
            self.heard = now;
        }
        self.pinged = true;
        Some(Due::Ping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Traffic = Traffic { read: 0, written: 0, unwritten: 0, partial: 0, messages_read: 0, frames_sent: 0 };

    /// The first deadline that ends the connection and the seconds after which it passed, with the traffic of each
    /// second.
    fn first_due(traffic: impl Fn(u64) -> (Traffic, (usize, usize)), greeted: bool) -> Option<(Due, u64)> {
        let start = Instant::now();
        let mut liveness = Liveness::new(&Limits::default(), start);
        if greeted {
            liveness.greeted();
        }
        (0..120).find_map(|second| {
            let now = start + Duration::from_secs(second);
            let (traffic, held) = traffic(second);
            liveness.update(now, traffic, held);
            liveness.due(now, true).filter(|due| *due != Due::Ping).map(|due| (due, second))
        })
    }

    #[test]
    fn a_peer_that_answers_no_ping_is_dead() {
        assert_eq!(first_due(|_| (QUIET, (0, 0)), true), Some((Due::Silent, 40)));
        // The ping itself is written, which shows nothing.
        assert_eq!(first_due(|s| (Traffic { written: u64::from(s >= 20), ..QUIET }, (0, 0)), true), Some((Due::Silent, 40)));
        assert_eq!(first_due(|s| (Traffic { read: s / 20, ..QUIET }, (0, 0)), true), None);
    }

    #[test]
    fn a_peer_that_slowly_takes_bytes_lives_and_one_that_takes_nothing_does_not() {
        let limit = Limits::default().write_stall.as_secs();
        assert_eq!(first_due(|s| (Traffic { written: s, unwritten: 1, ..QUIET }, (0, 0)), true), None);
        let stalled = |s| (Traffic { read: s, unwritten: 1, ..QUIET }, (0, 0));
        assert_eq!(first_due(stalled, true), Some((Due::WriteStalled, limit)));
    }

    #[test]
    fn a_hello_is_missing_after_its_limit() {
        assert_eq!(first_due(|s| (Traffic { read: s, ..QUIET }, (0, 0)), false), Some((Due::HelloMissing, 10)));
    }

    #[test]
    fn an_incomplete_message_must_grow_by_itself() {
        let pongs = |s| (Traffic { read: s, ..QUIET }, (1, 900_000));
        assert_eq!(first_due(pongs, true), Some((Due::Incomplete, 30)), "answers to pings are no progress");
        let fragments = |s| (Traffic { read: s, partial: 5, ..QUIET }, (0, 0));
        assert_eq!(first_due(fragments, true), Some((Due::Incomplete, 30)), "nor between the fragments of a message");
        let growing = |s: u64| (Traffic { read: s, ..QUIET }, (1, usize::try_from(s).unwrap()));
        assert_eq!(first_due(growing, true), None);
        let frame = |s: u64| (Traffic { read: s, partial: usize::try_from(s).unwrap(), ..QUIET }, (1, 5));
        assert_eq!(first_due(frame, true), None, "the frame that completes it is on its way");
    }

    #[test]
    fn deadlines_are_met_exactly() {
        let start = Instant::now();
        let mut liveness = Liveness::new(&Limits::default(), start);
        liveness.greeted();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        liveness.update(at(3.25), Traffic { read: 1, ..QUIET }, (0, 0));
        assert_eq!(liveness.next(), Some(at(23.25)));
        assert_eq!(liveness.due(at(23.25), true), Some(Due::Ping));
        assert_eq!(liveness.next(), Some(at(43.25)));
        assert_eq!(liveness.due(at(43.25), true), Some(Due::Silent));
    }

    #[test]
    fn time_in_which_the_process_was_stopped_is_not_held_against_the_peer() {
        let start = Instant::now();
        let mut liveness = Liveness::new(&Limits::default(), start);
        let late = Duration::from_secs(100);
        liveness.forgive(late);
        assert_eq!(liveness.due(start + late, true), None);
        assert_eq!(liveness.next(), Some(start + late + Duration::from_secs(10)));
    }

    #[test]
    fn a_limit_beyond_the_clock_is_none() {
        let never = Duration::MAX;
        let limits = Limits::with(|limits| {
            (limits.hello, limits.ping, limits.pong, limits.grace) = (never, never, never, never);
            (limits.write_stall, limits.incomplete_stall, limits.expiry_grace) = (never, never, never);
        });
        let mut liveness = Liveness::new(&limits, Instant::now());
        liveness.greeting(Instant::now());
        liveness.stopping(Instant::now());
        liveness.good_for(Some(never), Instant::now());
        assert_eq!(liveness.next(), None);
    }

    #[test]
    fn a_server_that_is_never_given_up_is_pinged_again_and_again() {
        let start = Instant::now();
        let mut liveness = Liveness::client(Duration::from_secs(20), start);
        liveness.never_give_up();
        let due: Vec<_> = (0..100).filter_map(|second| liveness.due(start + Duration::from_secs(second), true)).collect();
        assert_eq!(due, [Due::Ping; 4]);
    }

    #[test]
    fn a_peer_from_which_nothing_is_read_is_pinged_and_not_given_up() {
        let start = Instant::now();
        let mut liveness = Liveness::new(&Limits::default(), start);
        liveness.greeted();
        liveness.update(start, Traffic { partial: 10, ..QUIET }, (1, 10));
        let due: Vec<_> = (0..130).filter_map(|second| liveness.due(start + Duration::from_secs(second), false)).collect();
        assert_eq!(due, [Due::Ping; 4], "at 20, 40, 80 and 120 s");
    }
}
