//! The clock of one connection: hello, ping, stalls, grace.
//!
//! Looks a few times per ping interval at what has happened since it last looked, so the hot path
//! counts and never asks for the time. A deadline is met with the resolution of one look. Where nothing
//! happens and nothing waits, it only looks when the next ping is due.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use crate::Limits;

pub(super) struct Watch {
    timer: Pin<Box<Sleep>>,
    tick: Duration,
    pace: Pace,
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

/// When the next look is, if no deadline is before.
enum Pace {
    /// After a tick.
    Ticking,
    /// At the next ping, if the round of the task that looked ends as quietly as it began.
    Settling,
    /// At the next ping; who polls before was woken by something that happened.
    Resting,
}

/// What has happened on a connection up to now.
#[derive(Clone, Copy, Default)]
pub(super) struct Activity {
    /// Whether there was a good hello, and none waits for its answer.
    pub(super) greeted: bool,
    /// Bytes from the socket.
    pub(super) read: u64,
    /// Whole messages of the socket.
    pub(super) frames: u64,
    /// Bytes that the socket took.
    pub(super) written: u64,
    /// Whether bytes wait for the socket to take them.
    pub(super) waiting: bool,
    /// Messages that have begun and are not complete, and their bytes.
    pub(super) incomplete: (usize, usize),
}

impl Activity {
    /// Whether there is anything that may only last for so long.
    const fn is_bounded(&self) -> bool {
        self.waiting || self.incomplete.0 > 0
    }
}

/// What it is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
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

    /// When it has lasted for too long.
    fn end(&self) -> Instant {
        self.since + self.limit
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
        let shortest = limits.ping.min(limits.pong).min(limits.write_stall).min(limits.incomplete_stall);
        let tick = (shortest / 4).max(Duration::from_millis(10));
        let hello = now + limits.hello;
        Self {
            timer: Box::pin(sleep_until(hello.min(now + tick))),
            tick,
            pace: Pace::Ticking,
            hello: Some(hello),
            hello_period: limits.hello,
            expiry: None,
            expired: false,
            expiry_grace: limits.expiry_grace,
            grace: None,
            grace_period: limits.grace,
            silence: Stopwatch::new(now, limits.ping),
            pinged: false,
            ping_after: limits.ping,
            dead_after: limits.ping + limits.pong,
            write_stall: Stopwatch::new(now, limits.write_stall),
            incomplete_stall: Stopwatch::new(now, limits.incomplete_stall),
            last: Activity::default(),
        }
    }

    /// A hello is being answered, for which there is a time unless it has begun already.
    pub(super) fn greeting(&mut self, now: Instant) {
        let hello = *self.hello.get_or_insert(now + self.hello_period);
        if hello < self.timer.deadline() {
            self.timer.as_mut().reset(hello);
        }
    }

    /// The hello is answered, and none is missing any more.
    pub(super) const fn greeted(&mut self) {
        self.hello = None;
    }

    /// There was a good hello. One that is good for longer than anybody counts does not expire.
    pub(super) fn good_for(&mut self, lifetime: Option<Duration>, now: Instant) {
        (self.expired, self.expiry) = (false, lifetime.and_then(|lifetime| now.checked_add(lifetime)));
        if let Some(expiry) = self.expiry.filter(|expiry| *expiry < self.timer.deadline()) {
            self.timer.as_mut().reset(expiry);
        }
    }

    /// The server stops.
    pub(super) fn stopping(&mut self, now: Instant) {
        let grace = now + self.grace_period;
        self.grace = Some(grace);
        if grace < self.timer.deadline() {
            self.timer.as_mut().reset(grace);
        }
    }

    /// Ready when it is time to look; must be polled again after it was. `activity` is asked for then.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, activity: impl FnOnce() -> Activity) -> Poll<Due> {
        if self.timer.as_mut().poll(cx).is_pending() {
            if !matches!(self.pace, Pace::Resting) {
                return Poll::Pending;
            }
            let now = Instant::now();
            // What waits from now on has not waited before.
            self.write_stall.since = now;
            self.look_soon(now);
            ready!(self.timer.as_mut().poll(cx));
        }
        let now = Instant::now();
        let activity = activity();
        let due = self.look(now, activity);
        if activity.is_bounded() {
            self.look_soon(now);
        } else {
            self.pace = Pace::Settling;
            self.next_look(self.silence.end().max(now + self.tick));
        }
        Poll::Ready(due)
    }

    /// To be called when nothing more can be done for now: who is still quiet is not looked at before the next ping.
    pub(super) fn settle(&mut self, activity: impl FnOnce() -> Activity) {
        if !matches!(self.pace, Pace::Settling) {
            return;
        }
        let activity = activity();
        if activity.is_bounded() || activity.read != self.last.read {
            self.look_soon(Instant::now());
        } else {
            self.pace = Pace::Resting;
        }
    }

    /// Looks after a tick.
    fn look_soon(&mut self, now: Instant) {
        self.pace = Pace::Ticking;
        self.next_look(now + self.tick);
    }

    /// Looks at `next`, or at a deadline before.
    fn next_look(&mut self, next: Instant) {
        let next = [self.hello, self.expiry, self.grace].into_iter().flatten().fold(next, Instant::min);
        self.timer.as_mut().reset(next);
    }

    fn look(&mut self, now: Instant, activity: Activity) -> Due {
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
            (self.expired, self.expiry) = (true, Some(now + self.expiry_grace));
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
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Looks every 5 s and tells what was due first, and after how many seconds.
    fn first_due(mut activity: impl FnMut(u64) -> Activity) -> Option<(Due, u64)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let _guard = runtime.enter();
        let start = Instant::now();
        let mut watch = Watch::new(&Limits::default(), start);
        let mut look = |seconds| match watch.look(start + Duration::from_secs(seconds), activity(seconds)) {
            Due::Nothing | Due::Ping => None,
            due => Some((due, seconds)),
        };
        (0..60).find_map(|tick| look(tick * 5))
    }

    /// Waits until it is time to look, as a task does that has nothing else to do.
    async fn look(watch: &mut Watch, activity: Activity) -> Due {
        poll_fn(|cx| {
            let due = watch.poll(cx, || activity);
            if due.is_pending() {
                watch.settle(|| activity);
            }
            due
        })
        .await
    }

    const QUIET: Activity = Activity { greeted: true, read: 0, frames: 0, written: 0, waiting: false, incomplete: (0, 0) };

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
    fn who_is_quiet_is_looked_at_for_its_pings_only() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let begin = Instant::now();
            let mut watch = Watch::new(&Limits::default(), begin);
            watch.greeted();
            let (mut looks, mut answers) = (Vec::new(), 0);
            while looks.len() < 6 {
                let quiet = Activity { read: answers, frames: answers, ..QUIET };
                let due = look(&mut watch, quiet).await;
                looks.push((begin.elapsed().as_millis(), due));
                if due == Due::Ping {
                    // The answer wakes the connection.
                    answers += 1;
                    assert!(poll_fn(|cx| Poll::Ready(watch.poll(cx, || quiet).is_pending())).await);
                }
            }
            let seconds: Vec<_> = looks.iter().map(|(at, due)| (at / 100, *due == Due::Ping)).collect();
            assert_eq!(seconds, [(25, false), (200, true), (225, false), (425, true), (450, false), (650, true)]);
        });
    }

    #[test]
    fn who_is_heard_in_the_round_that_looked_is_not_quiet() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let begin = Instant::now();
            let mut watch = Watch::new(&Limits::default(), begin);
            watch.greeted();
            poll_fn(|cx| watch.poll(cx, || QUIET)).await;
            let said = Activity { read: 1, frames: 1, ..QUIET };
            while look(&mut watch, said).await != Due::Ping {}
            assert_eq!(begin.elapsed().as_secs(), 25, "20 s after the look that saw it");
        });
    }

    #[test]
    fn the_time_before_anything_waited_does_not_count() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let begin = Instant::now();
            let mut watch = Watch::new(&Limits::default(), begin);
            watch.greeted();
            while begin.elapsed() < Duration::from_secs(19) {
                let _ = tokio::time::timeout_at(begin + Duration::from_secs(19), look(&mut watch, QUIET)).await;
            }
            // Of what waits now, nothing is ever taken.
            let waits = Activity { waiting: true, ..QUIET };
            while look(&mut watch, waits).await != Due::WriteStalled {}
            let seconds = begin.elapsed().as_secs();
            assert!((27..=31).contains(&seconds), "{seconds}");
        });
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
