//! How long a connection may be silent, stalled or unknown; has no clock, and is told the time.

use std::time::Duration;

use tokio::time::Instant;

use crate::Limits;

pub(super) struct Deadlines {
    hello: Option<Instant>,
    hello_period: Duration,
    /// When the principal expires; then, when that has lasted too long.
    expiry: Option<Instant>,
    expired: bool,
    expiry_grace: Duration,
    grace: Option<Instant>,
    grace_period: Duration,
    /// Since when nothing shows that the peer is there, and whether it was asked.
    silence: Stopwatch,
    pinged: bool,
    ping_after: Duration,
    dead_after: Duration,
    write_stall: Stopwatch,
    incomplete_stall: Stopwatch,
    last: Activity,
}

/// What has happened on a connection up to now.
#[derive(Clone, Copy, Default)]
pub(in crate::server) struct Activity {
    /// Whether there was a good hello, and none waits for its answer.
    pub(in crate::server) greeted: bool,
    /// Bytes from the socket.
    pub(in crate::server) read: u64,
    /// Whole messages of the socket.
    pub(in crate::server) frames: u64,
    /// Bytes that the socket took.
    pub(in crate::server) written: u64,
    /// Whether bytes wait for the socket to take them.
    pub(in crate::server) waiting: bool,
    /// Messages that have begun and are not complete, and their bytes.
    pub(in crate::server) incomplete: (usize, usize),
}

impl Activity {
    /// Whether there is anything that may only last for so long.
    pub(super) const fn is_bounded(&self) -> bool {
        self.waiting || self.incomplete.0 > 0
    }
}

/// What it is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Due {
    Nothing,
    Ping,
    HelloMissing,
    Expired,
    NotRefreshed,
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

    /// When it has lasted for too long, if anybody counts that far.
    fn end(&self) -> Option<Instant> {
        self.since.checked_add(self.limit)
    }

    /// Starts anew when `happened`; tells whether the time is up.
    fn check(&mut self, now: Instant, happened: bool) -> bool {
        if happened {
            self.since = now;
        }
        now.duration_since(self.since) >= self.limit
    }
}

impl Deadlines {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            hello: now.checked_add(limits.hello),
            hello_period: limits.hello,
            expiry: None,
            expired: false,
            expiry_grace: limits.expiry_grace,
            grace: None,
            grace_period: limits.grace,
            silence: Stopwatch::new(now, limits.ping),
            pinged: false,
            ping_after: limits.ping,
            dead_after: limits.ping.saturating_add(limits.pong),
            write_stall: Stopwatch::new(now, limits.write_stall),
            incomplete_stall: Stopwatch::new(now, limits.incomplete_stall),
            last: Activity::default(),
        }
    }

    /// A hello is being answered, for which there is a time unless it has begun already.
    pub(super) fn greeting(&mut self, now: Instant) {
        self.hello = self.hello.or_else(|| now.checked_add(self.hello_period));
    }

    /// The hello is answered, and none is missing any more.
    pub(super) const fn greeted(&mut self) {
        self.hello = None;
    }

    /// There was a good hello. One that is good for longer than anybody counts does not expire.
    pub(super) fn good_for(&mut self, lifetime: Option<Duration>, now: Instant) {
        (self.expired, self.expiry) = (false, lifetime.and_then(|lifetime| now.checked_add(lifetime)));
    }

    /// The server stops.
    pub(super) fn stopping(&mut self, now: Instant) {
        self.grace = now.checked_add(self.grace_period);
    }

    /// `next`, or the time of a deadline that is before.
    pub(super) fn before(&self, next: Instant) -> Instant {
        [self.hello, self.expiry, self.grace].into_iter().flatten().fold(next, Instant::min)
    }

    /// When a ping is due, or its answer, if nothing is heard until then.
    pub(super) fn ping(&self) -> Option<Instant> {
        self.silence.end()
    }

    /// For that long nobody could look, nor read or write: the process was stopped, or its threads had other things
    /// to do. That is not the peer's fault.
    pub(super) fn forgive(&mut self, late: Duration) {
        for since in [&mut self.silence.since, &mut self.write_stall.since, &mut self.incomplete_stall.since] {
            *since = since.checked_add(late).unwrap_or(*since);
        }
        self.hello = self.hello.and_then(|hello| hello.checked_add(late));
    }

    /// Nothing has waited for the socket until now.
    pub(super) const fn nothing_waited(&mut self, now: Instant) {
        self.write_stall.since = now;
    }

    /// Whether the peer was heard since the last look.
    pub(super) const fn has_heard(&self, activity: &Activity) -> bool {
        activity.read != self.last.read
    }

    /// What it is time for, after what has happened since the last look.
    pub(super) fn look(&mut self, now: Instant, activity: Activity) -> Due {
        let last = std::mem::replace(&mut self.last, activity);
        if activity.greeted {
            self.hello = None;
        }
        let (heard, took) = (activity.read != last.read, activity.written != last.written);
        // Bytes that the system takes show nothing; that it takes more where others wait does.
        let alive = heard || (took && activity.waiting);
        if alive {
            self.pinged = false;
            self.silence.limit = self.ping_after;
        }
        let silent = self.silence.check(now, alive);
        let stalled = self.write_stall.check(now, took || !activity.waiting);
        // A large frame is progress before it is complete; other messages are none.
        let frame_grows = heard && activity.frames == last.frames;
        let grows = activity.incomplete != last.incomplete || frame_grows || activity.incomplete.0 == 0;
        let incomplete = self.incomplete_stall.check(now, grows);
        if self.grace.is_some_and(|grace| now >= grace) {
            return Due::GraceOver;
        }
        if self.hello.is_some_and(|hello| now >= hello) {
            return Due::HelloMissing;
        }
        if self.expiry.is_some_and(|expiry| now >= expiry) {
            if self.expired {
                return Due::NotRefreshed;
            }
            (self.expired, self.expiry) = (true, now.checked_add(self.expiry_grace));
            return Due::Expired;
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

#[cfg(test)]
pub(super) const QUIET: Activity = Activity { greeted: true, read: 0, frames: 0, written: 0, waiting: false, incomplete: (0, 0) };

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks every 5 s and tells what was due first, and after how many seconds.
    fn first_due(mut activity: impl FnMut(u64) -> Activity) -> Option<(Due, u64)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let _guard = runtime.enter();
        let start = Instant::now();
        let mut deadlines = Deadlines::new(&Limits::default(), start);
        let mut look = |seconds| match deadlines.look(start + Duration::from_secs(seconds), activity(seconds)) {
            Due::Nothing | Due::Ping => None,
            due => Some((due, seconds)),
        };
        (0..60).find_map(|tick| look(tick * 5))
    }

    #[test]
    fn a_peer_that_answers_no_ping_is_dead() {
        assert_eq!(first_due(|_| QUIET), Some((Due::Silent, 40)));
        // The ping itself is written, which shows nothing.
        assert_eq!(first_due(|s| Activity { written: u64::from(s >= 20), ..QUIET }), Some((Due::Silent, 40)));
        assert_eq!(first_due(|s| Activity { read: s / 20, frames: s / 20, ..QUIET }), None, "answers each");
    }

    #[test]
    fn a_peer_that_slowly_takes_what_waits_lives_and_one_that_takes_nothing_does_not() {
        assert_eq!(first_due(|s| Activity { written: s, waiting: true, ..QUIET }), None);
        assert_eq!(first_due(|s| Activity { read: s, waiting: true, ..QUIET }), Some((Due::WriteStalled, 10)));
    }

    #[test]
    fn hello_is_not_waited_for_longer_than_its_limit() {
        assert_eq!(first_due(|s| Activity { greeted: false, read: s, ..QUIET }), Some((Due::HelloMissing, 10)));
    }

    #[test]
    fn an_incomplete_message_must_grow_by_itself() {
        let others = |s| Activity { read: s, frames: s, incomplete: (1, 900_000), ..QUIET };
        assert_eq!(first_due(others), Some((Due::Incomplete, 30)), "other messages are no progress");
        let growing = |s: u64| Activity { read: s, frames: s, incomplete: (1, usize::try_from(s).unwrap()), ..QUIET };
        assert_eq!(first_due(growing), None);
        let large_frame = |s| Activity { read: s, incomplete: (1, 5), ..QUIET };
        assert_eq!(first_due(large_frame), None, "the frame that completes it is on its way");
    }
}
