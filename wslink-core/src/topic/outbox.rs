//! What waits to be sent to one client, shared by all publishers and the task of its connection.
//!
//! Pushing never blocks and never waits for a socket. An overflow ends the connection: its client
//! must not go on as if nothing were lost. While a client that may resume is away, events go into its
//! history.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use futures_util::task::AtomicWaker;

use super::{
    Delivery,
    discarded::Discarded,
    guard::Restriction,
    history::History,
    queue::{Lane, Origin, Popped, Pushed, Queue, TopicNumber},
};
use crate::wire::Encoded;

/// A publisher that paces itself waits while more bytes than this wait for a client: enough for one
/// write, little enough for the processor's cache.
const PACE: usize = 256 * 1024;

/// What an entry costs beside its bytes, when counted for the pace.
const ENTRY_OVERHEAD: usize = 128;

#[derive(Debug)]
pub struct Outbox {
    state: Mutex<State>,
    /// Whether `progress` has anything, so that the common case takes no lock.
    has_progress: AtomicBool,
    ready: AtomicWaker,
    /// The number of the connection's last reply.
    replied: AtomicU64,
    limit: usize,
}

/// Why nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client fell behind by more than its outbox holds.
    Overflow,
    /// The events go to another connection, or nowhere.
    Left,
}

#[derive(Debug, Default)]
struct State {
    events: Queue,
    /// The calls that may report progress, with the newest report of each that was not sent yet.
    progress: Vec<(u64, Option<Encoded>)>,
    /// The last reports of calls that are over.
    last_progress: Vec<Encoded>,
    /// What was sent, where the client may resume.
    history: Option<History>,
    /// The client may come back: what is added goes into the history.
    away: bool,
    /// Events that were ever dropped by the policy of their topic.
    dropped: u64,
    ended: Option<Ended>,
    /// Publishers that wait for the events to be taken.
    pacing: Vec<Waker>,
}

impl State {
    /// From now on nothing waits and nothing is taken in.
    fn end(&mut self, why: Ended, discarded: &mut Discarded) {
        discarded.wakers(&mut self.pacing);
        let ended = Self { ended: Some(why), dropped: self.dropped, ..Self::default() };
        discarded.other(std::mem::replace(self, ended));
    }

    /// What a push has come to: how many events were dropped.
    fn pushed(&mut self, pushed: Pushed, discarded: &mut Discarded) -> usize {
        match pushed {
            Pushed::Dropped(count) => {
                self.dropped += count as u64;
                if self.away {
                    self.move_to_history(discarded);
                }
                count
            }
            Pushed::Overflow => {
                self.end(Ended::Overflow, discarded);
                0
            }
        }
    }

    fn move_to_history(&mut self, discarded: &mut Discarded) {
        while let Some((_, event)) = self.events.pop() {
            match &mut self.history {
                Some(history) => history.record(event, discarded),
                None => discarded.message(event.message),
            }
        }
    }
}

impl Outbox {
    pub fn new(limit: usize) -> Self {
        Self {
            state: Mutex::default(),
            has_progress: AtomicBool::new(false),
            ready: AtomicWaker::new(),
            replied: AtomicU64::new(0),
            limit,
        }
    }

    /// Adds an event of a topic that is known when the program is compiled, and to the client's history
    /// by `number`; 0 is for the own stream of the subscription `key`. Returns how many events of that
    /// topic were dropped for it.
    pub fn push(&self, number: TopicNumber, topic: &'static str, key: u64, delivery: Delivery, message: Encoded) -> usize {
        let stream = if number == 0 { key } else { 0 };
        let origin = Origin { topic: number, stream, restriction: None };
        self.put(origin, (topic, key), delivery, message, &mut Discarded::default())
    }

    /// Adds an event that must not be lost.
    pub fn push_reliable(&self, number: TopicNumber, message: Encoded) {
        self.put_reliable(Origin::topic(number), message, &mut Discarded::default());
    }

    /// Adds an event of a lane. Returns how many events of the lane were dropped for it.
    pub(super) fn put(
        &self,
        origin: Origin,
        lane: Lane,
        delivery: Delivery,
        message: Encoded,
        discarded: &mut Discarded,
    ) -> usize {
        self.add(origin, Some((lane, delivery)), message, discarded)
    }

    /// Adds an event that must not be lost.
    pub(super) fn put_reliable(&self, origin: Origin, message: Encoded, discarded: &mut Discarded) {
        self.add(origin, None, message, discarded);
    }

    fn add(&self, origin: Origin, lane: Option<(Lane, Delivery)>, message: Encoded, discarded: &mut Discarded) -> usize {
        let mut state = self.lock();
        if state.ended.is_some() {
            discarded.message(message);
            return 0;
        }
        // A call that publishes now will have the next number.
        state.events.set_reply(self.replied.load(Ordering::Relaxed) + 1);
        state.events.set_origin(origin);
        let pushed = match lane {
            Some((lane, delivery)) => state.events.push(lane, delivery, message, self.limit, discarded),
            None => state.events.push_reliable(message, self.limit, discarded),
        };
        let dropped = state.pushed(pushed, discarded);
        drop(state);
        discarded.waker(self.ready.take());
        dropped
    }

    /// From now on remembers what is sent, in so many bytes, for a client that may resume.
    pub(super) fn remember(&self, bytes: usize) {
        self.lock().history.get_or_insert_with(|| History::new(bytes));
    }

    /// From now on remembers nothing.
    pub(super) fn forget(&self, discarded: &mut Discarded) {
        discarded.other(self.lock().history.take());
    }

    /// From now on the client is another principal: takes out what waits and must not be sent to it, and forgets the
    /// events that were sent to the one before.
    pub(super) fn change_principal(&self, stays: impl FnMut(&Origin) -> bool, forget: bool, discarded: &mut Discarded) {
        let mut state = self.lock();
        state.events.retain(stays, discarded);
        if let Some(history) = state.history.as_mut().filter(|_| forget) {
            history.forget_events(discarded);
        }
    }

    /// Takes out what waits of the own stream of a subscription.
    pub fn retract(&self, stream: u64) {
        let mut discarded = Discarded::default();
        self.lock().events.retain(|origin| origin.stream != stream, &mut discarded);
    }

    /// What restricts the events that wait or are kept.
    pub(super) fn restrictions(&self) -> HashSet<Arc<Restriction>> {
        let state = self.lock();
        let kept = state.history.iter().flat_map(History::restrictions);
        state.events.restrictions().chain(kept).map(Arc::clone).collect()
    }

    /// The connection is lost: keeps for the client what was not sent, and what will be published.
    /// Returns whether it does.
    pub(super) fn await_return(&self, discarded: &mut Discarded) -> bool {
        let mut state = self.lock();
        if state.history.is_none() || state.ended.is_some() {
            return false;
        }
        state.away = true;
        state.move_to_history(discarded);
        discarded.other((std::mem::take(&mut state.progress), std::mem::take(&mut state.last_progress)));
        discarded.wakers(&mut state.pacing);
        true
    }

    /// Ends this outbox and gives its history to another of the same client.
    pub(super) fn surrender(&self, discarded: &mut Discarded) -> Option<History> {
        let mut state = self.lock();
        state.move_to_history(discarded);
        let history = state.history.take();
        state.end(Ended::Left, discarded);
        drop(state);
        discarded.waker(self.ready.take());
        history
    }

    /// Goes on from the history of the outbox before with these events of it, which are sent again.
    pub(super) fn adopt(&self, history: History, rest: Vec<Popped>, discarded: &mut Discarded) {
        let mut state = self.lock();
        // The hello that resumes is answered first.
        state.events.set_reply(self.replied.load(Ordering::Relaxed) + 1);
        rest.into_iter().for_each(|event| state.events.restore(event));
        discarded.other(state.history.replace(history));
        drop(state);
        discarded.waker(self.ready.take());
    }

    /// From now on `call` may report progress.
    pub fn open_progress(&self, call: u64) {
        self.lock().progress.push((call, None));
    }

    /// The call is over; what it reports from now on is nothing to anybody.
    pub fn close_progress(&self, call: u64) {
        let mut state = self.lock();
        if let Some(at) = state.progress.iter().position(|(of, _)| *of == call) {
            let (_, last) = state.progress.swap_remove(at);
            state.last_progress.extend(last);
        }
    }

    /// Puts a report of a call in the place of its last one, if that was not sent yet.
    pub fn push_progress(&self, call: u64, message: Encoded) {
        let mut state = self.lock();
        let Some((_, waiting)) = state.progress.iter_mut().find(|(of, _)| *of == call) else {
            drop(state);
            drop(message);
            return;
        };
        let replaced = waiting.replace(message);
        self.has_progress.store(true, Ordering::Release);
        drop(state);
        self.ready.wake();
        drop(replaced);
    }

    /// Whether there is any for [`take_progress`](Self::take_progress).
    pub fn has_progress(&self) -> bool {
        self.has_progress.load(Ordering::Acquire)
    }

    /// The progress that is to be sent before any reply.
    pub fn take_progress(&self) -> Vec<Encoded> {
        if !self.has_progress.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        let mut state = self.lock();
        let mut taken = std::mem::take(&mut state.last_progress);
        taken.extend(state.progress.iter_mut().filter_map(|(_, report)| report.take()));
        taken
    }

    /// The connection has made its reply of that number.
    pub fn replied(&self, number: u64) {
        self.replied.store(number, Ordering::Relaxed);
    }

    /// The next event to send, and the number of the reply that must be sent before it.
    pub fn pop(&self) -> Result<Option<(u64, Encoded)>, Ended> {
        // Declared first, so dropped last.
        let mut discarded = Discarded::default();
        let mut state = self.lock();
        if let Some(why) = state.ended {
            return Err(why);
        }
        let event = state.events.pop();
        if state.events.is_empty() {
            discarded.wakers(&mut state.pacing);
        }
        let Some((after_reply, event)) = event else { return Ok(None) };
        let Some(history) = &mut state.history else { return Ok(Some((after_reply, event.message))) };
        let message = event.message.clone();
        history.record(event, &mut discarded);
        Ok(Some((after_reply, message)))
    }

    /// Ready when little waits; otherwise the task of `cx` is woken when nothing does.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.away || state.events.bytes() + state.events.len() * ENTRY_OVERHEAD <= PACE {
            return Poll::Ready(());
        }
        if !state.pacing.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.pacing.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Nobody takes events any more: lets publishers go.
    pub(super) fn close(&self, discarded: &mut Discarded) {
        self.lock().end(Ended::Left, discarded);
    }

    /// Events that wait.
    pub fn len(&self) -> usize {
        self.lock().events.len()
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of events that wait.
    pub fn bytes(&self) -> usize {
        self.lock().events.bytes()
    }

    /// Events that were ever dropped by the policy of their topic.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Wakes `waker` when something is pushed.
    pub fn register(&self, waker: &Waker) {
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
        outbox.push_reliable(0, Encoded::one(Frame::new(FrameKind::Binary, vec![0; PACE / 2])));
        assert!(outbox.poll_room(&mut cx).is_ready());
        outbox.push_reliable(0, Encoded::one(Frame::new(FrameKind::Binary, vec![0; PACE])));
        assert!(outbox.poll_room(&mut cx).is_pending() && outbox.poll_room(&mut cx).is_pending());
        assert!(!outbox.lock().pacing.is_empty());
        while outbox.pop().unwrap().is_some() {}
        assert!(outbox.lock().pacing.is_empty() && outbox.poll_room(&mut cx).is_ready());
    }

    #[test]
    fn an_overflow_is_final_and_holds_nothing() {
        let outbox = Outbox::new(3);
        outbox.push(0, "t", 0, Delivery::Reliable, message("ab"));
        outbox.push(0, "t", 0, Delivery::Reliable, message("cd"));
        assert_eq!(outbox.pop().unwrap_err(), Ended::Overflow);
        outbox.push(0, "t", 0, Delivery::Latest, message("x"));
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
