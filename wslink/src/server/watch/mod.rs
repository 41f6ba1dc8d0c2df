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

use self::deadlines::Deadlines;
pub(super) use self::deadlines::{Activity, Due};
use crate::Limits;

mod deadlines;

/// How often it looks where something may change.
const MIN_TICK: Duration = Duration::from_millis(10);
const MAX_TICK: Duration = Duration::from_secs(60);

pub(super) struct Watch {
    timer: Pin<Box<Sleep>>,
    tick: Duration,
    pace: Pace,
    deadlines: Deadlines,
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

impl Watch {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        let shortest = limits.ping.min(limits.pong).min(limits.write_stall).min(limits.incomplete_stall);
        let tick = (shortest / 4).clamp(MIN_TICK, MAX_TICK);
        let deadlines = Deadlines::new(limits, now);
        Self { timer: Box::pin(sleep_until(deadlines.before(now + tick))), tick, pace: Pace::Ticking, deadlines }
    }

    /// A hello is being answered.
    pub(super) fn greeting(&mut self, now: Instant) {
        self.deadlines.greeting(now);
        self.next_look(self.timer.deadline());
    }

    /// The hello is answered, and none is missing any more.
    pub(super) const fn greeted(&mut self) {
        self.deadlines.greeted();
    }

    /// There was a good hello.
    pub(super) fn good_for(&mut self, lifetime: Option<Duration>, now: Instant) {
        self.deadlines.good_for(lifetime, now);
        self.next_look(self.timer.deadline());
    }

    /// The server stops.
    pub(super) fn stopping(&mut self, now: Instant) {
        self.deadlines.stopping(now);
        self.next_look(self.timer.deadline());
    }

    /// Ready when it is time to look; must be polled again after it was. `activity` is asked for then.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, activity: impl FnOnce() -> Activity) -> Poll<Due> {
        if self.timer.as_mut().poll(cx).is_pending() {
            if !matches!(self.pace, Pace::Resting) {
                return Poll::Pending;
            }
            let now = Instant::now();
            self.deadlines.nothing_waited(now);
            self.look_soon(now);
            ready!(self.timer.as_mut().poll(cx));
        }
        let now = Instant::now();
        self.deadlines.forgive(now.duration_since(self.timer.deadline()));
        let activity = activity();
        let due = self.deadlines.look(now, activity);
        if activity.is_bounded() {
            self.look_soon(now);
        } else {
            self.pace = Pace::Settling;
            self.next_look(self.deadlines.ping().into_iter().fold(now + self.tick, Instant::max));
        }
        Poll::Ready(due)
    }

    /// To be called when nothing more can be done for now: who is still quiet is not looked at before the next ping.
    pub(super) fn settle(&mut self, activity: impl FnOnce() -> Activity) {
        if !matches!(self.pace, Pace::Settling) {
            return;
        }
        let activity = activity();
        if activity.is_bounded() || self.deadlines.has_heard(&activity) {
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
        let next = self.deadlines.before(next);
        self.timer.as_mut().reset(next);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::{deadlines::QUIET, *};

    /// Runs `test` with a clock that goes on when everybody waits.
    fn paused(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(test);
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

    #[test]
    fn who_is_quiet_is_looked_at_for_its_pings_only() {
        paused(async {
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
        paused(async {
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
        paused(async {
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

    /// As when the process was stopped, or its threads had other things to do.
    #[test]
    fn the_time_in_which_nobody_could_look_is_held_against_nobody() {
        paused(async {
            let mut watch = Watch::new(&Limits::default(), Instant::now());
            let waits = Activity { greeted: false, waiting: true, incomplete: (1, 5), ..QUIET };
            assert_eq!(look(&mut watch, waits).await, Due::Nothing);
            tokio::time::advance(Duration::from_secs(100)).await;
            let begin = Instant::now();
            let mut due = look(&mut watch, waits).await;
            while due == Due::Nothing {
                due = look(&mut watch, waits).await;
            }
            assert_eq!((due, begin.elapsed().as_secs()), (Due::HelloMissing, 5), "and 5 s before");
            watch.greeted();
            let waits = Activity { greeted: true, ..waits };
            assert_eq!((look(&mut watch, waits).await, begin.elapsed().as_secs()), (Due::WriteStalled, 5));
        });
    }

    #[test]
    fn a_limit_that_is_longer_than_anybody_counts_is_none() {
        let ever = Duration::MAX;
        let mut limits = Limits::with(|limits| limits.ping = ever - Limits::default().pong);
        for _ in 0..2 {
            paused(async {
                let mut watch = Watch::new(&limits, Instant::now());
                watch.greeting(Instant::now());
                watch.greeted();
                watch.good_for(Some(Duration::ZERO), Instant::now());
                assert_eq!(look(&mut watch, QUIET).await, Due::Expired);
                watch.good_for(None, Instant::now());
                watch.stopping(Instant::now());
                assert_eq!(look(&mut watch, QUIET).await, Due::Nothing);
            });
            let (hello, grace, expiry_grace) = (ever, ever, ever);
            (limits.ping, limits.write_stall, limits.incomplete_stall) = (ever, ever, ever);
            (limits.hello, limits.grace, limits.expiry_grace) = (hello, grace, expiry_grace);
            limits.pong = ever;
        }
    }
}
