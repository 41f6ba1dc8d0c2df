//! What waits to be sent to one client, shared by all publishers and the task of its connection.
//!
//! Pushing never blocks and never waits for a socket. An overflow ends the connection: its client
//! must not go on as if nothing were lost.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use futures_util::task::AtomicWaker;

use super::{
    Delivery,
    queue::{Pushed, Queue},
};
use crate::wire::Encoded;

/// A publisher that paces itself waits while more bytes than this wait for a client: enough for one
/// write, little enough for the processor's cache.
const PACE: usize = 256 * 1024;

/// What an entry costs beside its bytes, when counted for the pace.
const ENTRY_OVERHEAD: usize = 128;

#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Whether `progress` has anything, so that the common case takes no lock.
    has_progress: AtomicBool,
    ready: AtomicWaker,
    /// The number of the connection's last reply.
    replied: AtomicU64,
    limit: usize,
}

/// The client fell behind by more than its outbox holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

#[derive(Debug, Default)]
struct State {
    events: Queue,
    /// The calls that may report progress, with the newest report of each that was not sent yet.
    progress: Vec<(u64, Option<Encoded>)>,
    /// The last reports of calls that are over.
    last_progress: Vec<Encoded>,
    overflowed: bool,
    /// Events that were ever dropped by the policy of their topic.
    dropped: u64,
    /// Publishers that wait for the events to be taken.
    pacing: Vec<Waker>,
}

impl State {
    /// From now on nothing waits and nothing is taken in.
    fn end(&mut self) {
        self.pacing.drain(..).for_each(Waker::wake);
        *self = Self { overflowed: true, dropped: self.dropped, ..Self::default() };
    }
}

impl Outbox {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::default(),
            has_progress: AtomicBool::new(false),
            ready: AtomicWaker::new(),
            replied: AtomicU64::new(0),
            limit,
        }
    }

    /// Adds an event of a topic that is known when the program is compiled. Returns how many events of
    /// that topic were dropped for it.
    pub(crate) fn push(&self, topic: &'static str, key: u64, delivery: Delivery, message: Encoded) -> usize {
        self.add(|events, limit| events.push(topic, key, delivery, message, limit))
    }

    /// Adds an event that must not be lost.
    pub(crate) fn push_reliable(&self, message: Encoded) {
        self.add(|events, limit| events.push_reliable(message, limit));
    }

    fn add(&self, push: impl FnOnce(&mut Queue, usize) -> Pushed) -> usize {
        let mut state = self.lock();
        if state.overflowed {
            return 0;
        }
        // A call that publishes now will have the next number.
        state.events.set_reply(self.replied.load(Ordering::Relaxed) + 1);
        let dropped = match push(&mut state.events, self.limit) {
            Pushed::Dropped(count) => count,
            Pushed::Overflow => {
                state.end();
                0
            }
        };
        state.dropped += dropped as u64;
        drop(state);
        self.ready.wake();
        dropped
    }

    /// From now on `call` may report progress.
    pub(crate) fn open_progress(&self, call: u64) {
        self.lock().progress.push((call, None));
    }

    /// The call is over; what it reports from now on is nothing to anybody.
    pub(crate) fn close_progress(&self, call: u64) {
        let mut state = self.lock();
        if let Some(at) = state.progress.iter().position(|(of, _)| *of == call) {
            let (_, last) = state.progress.swap_remove(at);
            state.last_progress.extend(last);
        }
    }

    /// Puts a report of a call in the place of its last one, if that was not sent yet.
    pub(crate) fn push_progress(&self, call: u64, message: Encoded) {
        let mut state = self.lock();
        let Some((_, waiting)) = state.progress.iter_mut().find(|(of, _)| *of == call) else { return };
        *waiting = Some(message);
        self.has_progress.store(true, Ordering::Release);
        drop(state);
        self.ready.wake();
    }

    /// Whether there is any for [`take_progress`](Self::take_progress).
    pub(crate) fn has_progress(&self) -> bool {
        self.has_progress.load(Ordering::Acquire)
    }

    /// The progress that is to be sent before any reply.
    pub(crate) fn take_progress(&self) -> Vec<Encoded> {
        if !self.has_progress.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        let mut state = self.lock();
        let mut taken = std::mem::take(&mut state.last_progress);
        taken.extend(state.progress.iter_mut().filter_map(|(_, report)| report.take()));
        taken
    }

    /// The connection has made its reply of that number.
    pub(crate) fn replied(&self, number: u64) {
        self.replied.store(number, Ordering::Relaxed);
    }

    /// The number of the reply that must be sent before the next event: that of the call, if any, that
    /// published it.
    pub(crate) fn after_reply(&self) -> Option<u64> {
        self.lock().events.after_reply()
    }

    /// The next event to send.
    pub(crate) fn pop(&self) -> Result<Option<Encoded>, Overflow> {
        let mut state = self.lock();
        if state.overflowed {
            return Err(Overflow);
        }
        let event = state.events.pop();
        if state.events.is_empty() {
            state.pacing.drain(..).for_each(Waker::wake);
        }
        Ok(event)
    }

    /// Ready when little waits; otherwise the task of `cx` is woken when nothing does.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.events.bytes() + state.events.len() * ENTRY_OVERHEAD <= PACE {
            return Poll::Ready(());
        }
        if !state.pacing.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.pacing.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Nobody takes events any more: lets publishers go.
    pub(crate) fn close(&self) {
        self.lock().end();
    }

    /// Bytes of events that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().events.bytes()
    }

    /// Events that were ever dropped by the policy of their topic.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Wakes `waker` when something is pushed.
    pub(crate) fn register(&self, waker: &Waker) {
        self.ready.register(waker);
    }

    /// A panic cannot happen between two changes that belong together, so poisoning means nothing.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Frame, FrameKind};

    fn message(text: &'static str) -> Encoded {
        Encoded::one(Frame::new(FrameKind::Text, text))
    }

    #[test]
    fn a_pacing_publisher_waits_until_the_events_are_taken() {
        let outbox = Outbox::new(PACE * 4);
        let mut cx = Context::from_waker(Waker::noop());
        outbox.push_reliable(Encoded::one(Frame::new(FrameKind::Binary, vec![0; PACE / 2])));
        assert!(outbox.poll_room(&mut cx).is_ready());
        outbox.push_reliable(Encoded::one(Frame::new(FrameKind::Binary, vec![0; PACE])));
        assert!(outbox.poll_room(&mut cx).is_pending() && outbox.poll_room(&mut cx).is_pending());
        assert!(!outbox.lock().pacing.is_empty());
        while outbox.pop().unwrap().is_some() {}
        assert!(outbox.lock().pacing.is_empty() && outbox.poll_room(&mut cx).is_ready());
    }

    #[test]
    fn an_overflow_is_final_and_holds_nothing() {
        let outbox = Outbox::new(3);
        outbox.push("t", 0, Delivery::Reliable, message("ab"));
        outbox.push("t", 0, Delivery::Reliable, message("cd"));
        assert_eq!(outbox.pop().unwrap_err(), Overflow);
        outbox.push("t", 0, Delivery::Latest, message("x"));
        assert_eq!(outbox.bytes(), 0);
    }

    #[test]
    fn only_the_newest_progress_of_each_call_waits() {
        let outbox = Outbox::new(100);
        let taken = || outbox.take_progress().iter().map(|message| message.frames()[0].head.clone()).collect::<Vec<_>>();
        outbox.open_progress(1);
        outbox.open_progress(2);
        outbox.push_progress(1, message("a"));
        outbox.push_progress(2, message("b"));
        outbox.push_progress(1, message("c"));
        assert_eq!(taken(), ["c", "b"]);
        outbox.push_progress(1, message("d"));
        outbox.close_progress(1);
        outbox.push_progress(1, message("too late"));
        assert_eq!(taken(), ["d"]);
        assert!(taken().is_empty());
    }
}
