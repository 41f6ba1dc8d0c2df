//! The outbox of one client: events that wait to be sent, shared by all publishers and the task of its connection.
//!
//! Pushing never blocks and never waits for a socket. An overflow ends the connection: its client
//! must not go on as if nothing were lost. While a client that may resume is away, events go into its
//! history.

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use futures_util::task::AtomicWaker;

use super::{
    Delivery,
    authorization::Restriction,
    budget::{Budget, Share},
    discarded::Discarded,
    event::{Event, Source, TopicNumber},
    queue::{Lane, Overflow, Queue},
    replay_buffer::ReplayBuffer,
};
use crate::{telemetry::EventQueue, wire::Encoded};

#[cfg(test)]
mod tests;

/// A publisher that paces itself waits while more bytes than this wait for a client: enough for one
/// write, little enough for the processor's cache.
const PACE: usize = 256 * 1024;

/// What an entry costs beside its bytes.
const ENTRY_OVERHEAD: usize = 160;

/// The events and progress reports that wait for one client.
#[derive(Debug)]
pub struct Outbox {
    state: Mutex<State>,
    /// Whether anything waits or it has ended, so that a session with nothing to send takes no lock. It is cleared where
    /// an event is taken, while the state is locked and neither is so.
    is_active: AtomicBool,
    /// Whether `progress` has anything, so that the common case takes no lock.
    has_progress: AtomicBool,
    ready: AtomicWaker,
    /// The number of the connection's last reply.
    replied: AtomicU64,
    /// Bytes of retained events that wait and that subscriptions begin with.
    beginnings: AtomicUsize,
    limit: usize,
}

/// Why nothing more comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client fell behind by more than its outbox holds.
    Overflow,
    /// The events go to another connection, or nowhere.
    Left,
    /// The server closes the connection, for this reason.
    Kicked(Cow<'static, str>),
}

#[derive(Debug, Default)]
struct State {
    events: Queue<Event>,
    /// The calls that may report progress, with the newest report of each that was not sent yet.
    progress: Vec<(u64, Option<Encoded>)>,
    /// The last reports of calls that are over.
    last_progress: Vec<Encoded>,
    /// What was sent, where the client may resume. In a box, since most clients have none.
    history: Option<Box<ReplayBuffer>>,
    /// The client may come back: what is added goes into the history.
    away: Option<Away>,
    /// Events that were ever dropped by the policy of their topic.
    dropped: u64,
    ended: Option<Ended>,
    /// Publishers that wait for the events to be taken.
    pacing: Vec<Waker>,
}

/// What a client that may come back needs.
#[derive(Debug)]
struct Away {
    share: Share,
    /// Beside its events.
    cost: usize,
}

impl State {
    /// From now on nothing waits and nothing is taken in. The first reason counts.
    fn end(&mut self, why: Ended, discarded: &mut Discarded) {
        self.wake_pacing(discarded);
        // It counts no more from now on, and not only when it is dropped.
        self.away = None;
        let first = self.ended.take().unwrap_or(why);
        let ended = Self { ended: Some(first), dropped: self.dropped, ..Self::default() };
        discarded.other(std::mem::replace(self, ended));
    }

    fn wake_pacing(&mut self, discarded: &mut Discarded) {
        self.pacing.drain(..).for_each(|waker| discarded.waker(Some(waker)));
    }

    fn move_to_history(&mut self, discarded: &mut Discarded) {
        while let Some((lane, event)) = self.events.pop() {
            match &mut self.history {
                Some(history) => history.record(lane, event, discarded),
                None => discarded.message(event.message),
            }
        }
        if let (Some(away), Some(history)) = (&mut self.away, &self.history) {
            away.share.set(away.cost + history.bytes());
        }
    }
}

/// What an event counts in the queue.
const fn cost(message: &Encoded) -> usize {
    message.len() + ENTRY_OVERHEAD
}

impl Outbox {
    /// An outbox in which events of `limit` bytes may wait.
    pub fn new(limit: usize) -> Self {
        Self {
            state: Mutex::default(),
            is_active: AtomicBool::new(false),
            has_progress: AtomicBool::new(false),
            ready: AtomicWaker::new(),
            replied: AtomicU64::new(0),
            beginnings: AtomicUsize::new(0),
            limit,
        }
    }

    /// Adds an event of a topic that is known when the program is compiled, and to the client's history
    /// by `number` unless that is 0. Returns how many events of that topic were dropped for it.
    pub fn push(&self, number: TopicNumber, topic: &'static str, key: u64, delivery: Delivery, message: Encoded) -> usize {
        let source = if number == 0 { Source::Uncounted } else { Source::Topic(number) };
        self.put((topic, key), delivery, Event::new(source, message), &mut Discarded::default())
    }

    /// Adds an event of the own stream of a `subscription`, which another principal gets only where it may see it.
    /// Returns how many older ones were dropped for it.
    pub(crate) fn push_stream(
        &self,
        subscription: u64,
        topic: &'static str,
        delivery: Delivery,
        restriction: Option<Arc<Restriction>>,
        message: Encoded,
    ) -> usize {
        let event = Event::new(Source::Stream, message).restricted(restriction);
        let mut discarded = Discarded::default();
        if delivery != Delivery::Reliable {
            return self.put((topic, subscription), delivery, event, &mut discarded);
        }
        self.put_unlimited(event, &mut discarded);
        0
    }

    /// Adds an event that must not be lost, and to the client's history by `number` unless that is 0.
    pub fn push_reliable(&self, number: TopicNumber, message: Encoded) {
        let source = if number == 0 { Source::Uncounted } else { Source::Topic(number) };
        self.put(("", 0), Delivery::Reliable, Event::new(source, message), &mut Discarded::default());
    }

    /// Adds an event. Returns how many events of its lane were dropped for it.
    #[inline]
    pub(super) fn put(&self, lane: Lane, delivery: Delivery, mut event: Event, discarded: &mut Discarded) -> usize {
        let mut state = self.lock_to_add();
        if state.ended.is_some() || event.message.frames().is_empty() {
            discarded.message(event.message);
            return 0;
        }
        // A call that publishes now will have the next number.
        event.after_reply = self.replied.load(Ordering::Relaxed) + 1;
        let cost = cost(&event.message);
        let mut discard = |event: Event| discarded.message(event.message);
        let pushed = match delivery {
            Delivery::Reliable => state.events.push(event, cost, self.limit).map(|()| 0),
            Delivery::Latest => state.events.push_lossy(lane, 1, event, cost, self.limit, &mut discard),
            Delivery::DropOldest(count) => state.events.push_lossy(lane, count.max(1), event, cost, self.limit, &mut discard),
        };
        let dropped = match pushed {
            Ok(dropped) => dropped,
            Err(Overflow(event)) => {
                discarded.message(event.message);
                state.end(Ended::Overflow, discarded);
                0
            }
        };
        state.dropped += dropped as u64;
        if state.away.is_some() {
            state.move_to_history(discarded);
        }
        drop(state);
        discarded.waker(self.ready.take());
        dropped
    }

    /// Adds an event that must not be lost and counts towards no limit. What a topic retains does not, else a client
    /// whose topics retain more than an outbox holds could never begin; a session reads no further requests while
    /// [`beginnings`](Self::beginnings) wait. Neither does an item of a stream, of which a session takes no more while
    /// much waits.
    pub(super) fn put_unlimited(&self, mut event: Event, discarded: &mut Discarded) {
        let mut state = self.lock_to_add();
        if state.ended.is_some() || event.message.frames().is_empty() {
            return discarded.message(event.message);
        }
        event.after_reply = self.replied.load(Ordering::Relaxed) + 1;
        self.append(&mut state, None, event);
        if state.away.is_some() {
            state.move_to_history(discarded);
        }
        drop(state);
        discarded.waker(self.ready.take());
    }

    /// Adds an event whatever waits; it comes from the history, or counts towards no limit.
    fn append(&self, state: &mut State, lane: Option<Lane>, event: Event) {
        let cost = cost(&event.message);
        match event.source {
            Source::Retained(_) => {
                self.beginnings.fetch_add(event.message.len(), Ordering::Relaxed);
                state.events.append_unlimited(event, cost);
            }
            Source::Uncounted | Source::Stream => state.events.append_unlimited(event, cost),
            Source::Topic(_) => state.events.append(lane, event, cost),
        }
    }

    /// An event does not wait any more.
    fn taken(&self, event: &Event) {
        if matches!(event.source, Source::Retained(_)) {
            self.beginnings.fetch_sub(event.message.len(), Ordering::Relaxed);
        }
    }

    /// Bytes of retained events that wait and that subscriptions begin with.
    pub fn beginnings(&self) -> usize {
        self.beginnings.load(Ordering::Relaxed)
    }

    /// From now on remembers what is sent, in so many bytes, for a client that may resume. Returns whether it does: an
    /// outbox that has ended has lost events.
    pub(super) fn remember(&self, bytes: usize, discarded: &mut Discarded) -> bool {
        let mut state = self.lock();
        if state.ended.is_some() {
            return false;
        }
        state.history.get_or_insert_with(|| Box::new(ReplayBuffer::new(bytes))).set_limit(bytes, discarded);
        true
    }

    /// The client knows what it was told when it resumed.
    pub(super) fn confirm(&self) {
        self.lock().history.as_deref_mut().map(ReplayBuffer::confirm);
    }

    /// From now on the client is another principal: takes out what waits and must not be sent to it, and may `forget`
    /// the events that were sent to the one before.
    pub(super) fn change_principal(&self, stays: impl FnMut(&Event) -> bool, forget: bool, discarded: &mut Discarded) {
        let mut state = self.lock();
        state.events.retain(stays, |event| {
            self.taken(&event);
            discarded.message(event.message);
        });
        if let Some(history) = state.history.as_mut().filter(|_| forget) {
            history.forget_events(discarded);
        }
    }

    /// What restricts the events that wait or are kept.
    pub(super) fn restrictions(&self) -> HashSet<Arc<Restriction>> {
        let state = self.lock();
        let kept = state.history.as_deref().into_iter().flat_map(ReplayBuffer::restrictions);
        let waiting = state.events.iter().filter_map(|event| event.restriction.as_ref());
        waiting.chain(kept).map(Arc::clone).collect()
    }

    /// The connection is lost: keeps for the client what was not sent, and what will be published, in its share of the
    /// `budget`, where it needs `cost` bytes beside. Returns whether it does.
    pub(super) fn await_return(&self, cost: usize, budget: &Arc<Budget>, discarded: &mut Discarded) -> bool {
        let mut state = self.lock();
        let State { history: Some(history), ended: None, .. } = &mut *state else { return false };
        let Some(limit) = history.limit().checked_sub(cost) else { return false };
        history.set_limit(limit, discarded);
        history.disconnected();
        state.away = Some(Away { share: budget.share(), cost });
        state.move_to_history(discarded);
        discarded.other((std::mem::take(&mut state.progress), std::mem::take(&mut state.last_progress)));
        state.wake_pacing(discarded);
        true
    }

    /// Whether it can say what a client that `received` so many events did not.
    pub(super) fn accounts_for(&self, received: u64) -> bool {
        self.lock().history.as_ref().is_some_and(|history| history.accounts_for(received))
    }

    /// Ends this outbox and gives its history to another of the same client.
    pub(super) fn surrender(&self, discarded: &mut Discarded) -> Option<Box<ReplayBuffer>> {
        let mut state = self.lock_to_add();
        if let State { history: Some(history), away: None, .. } = &mut *state {
            history.disconnected();
        }
        state.move_to_history(discarded);
        let history = state.history.take();
        state.end(Ended::Left, discarded);
        drop(state);
        discarded.waker(self.ready.take());
        history
    }

    /// Goes on from the history of the outbox before with what the client has not received of it.
    pub(super) fn adopt(&self, history: Box<ReplayBuffer>, rest: Vec<(Option<Lane>, Event)>, discarded: &mut Discarded) {
        let mut state = self.lock_to_add();
        // The hello that resumes is answered first.
        let after_reply = self.replied.load(Ordering::Relaxed) + 1;
        for (lane, event) in rest {
            self.append(&mut state, lane, Event { after_reply, ..event });
        }
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

    /// The number of the reply that must be sent before the next event. From now on no newer event takes the place of
    /// that one.
    ///
    /// # Errors
    /// Nothing more comes.
    pub fn next_after_reply(&self) -> Result<Option<u64>, Ended> {
        if !self.is_active() {
            return Ok(None);
        }
        let mut state = self.lock();
        match &state.ended {
            Some(why) => Err(why.clone()),
            None => Ok(state.events.peek().map(|event| event.after_reply)),
        }
    }

    /// The next event to send.
    ///
    /// # Errors
    /// Nothing more comes.
    pub fn pop(&self) -> Result<Option<Encoded>, Ended> {
        // Declared first, so dropped last.
        let mut discarded = Discarded::default();
        let mut state = self.lock();
        if let Some(why) = &state.ended {
            return Err(why.clone());
        }
        let event = state.events.pop();
        if state.events.is_empty() {
            self.is_active.store(false, Ordering::Relaxed);
            if !state.pacing.is_empty() {
                state.wake_pacing(&mut discarded);
            }
        }
        let Some((lane, event)) = event else { return Ok(None) };
        self.taken(&event);
        let Some(history) = &mut state.history else { return Ok(Some(event.message)) };
        let message = event.message.clone();
        history.record(lane, event, &mut discarded);
        Ok(Some(message))
    }

    /// Ready when little waits; otherwise the task of `cx` is woken when nothing does.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.away.is_some() || state.events.cost() <= PACE {
            return Poll::Ready(());
        }
        if !state.pacing.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.pacing.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Nobody takes events any more: lets publishers go.
    pub(super) fn close(&self, discarded: &mut Discarded) {
        self.lock_to_add().end(Ended::Left, discarded);
    }

    /// The server closes the connection, for this reason.
    pub(super) fn kick(&self, reason: Cow<'static, str>, discarded: &mut Discarded) {
        self.lock_to_add().end(Ended::Kicked(reason), discarded);
        discarded.waker(self.ready.take());
    }

    /// Events that wait.
    pub fn len(&self) -> usize {
        self.lock().events.len()
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether nothing more comes, for the reason that [`pop`](Self::pop) gives.
    pub fn has_ended(&self) -> bool {
        self.lock().ended.is_some()
    }

    /// Bytes of events that wait.
    pub fn bytes(&self) -> usize {
        if !self.is_active() {
            return 0;
        }
        let state = self.lock();
        state.events.cost() - state.events.len() * ENTRY_OVERHEAD
    }

    /// Events that were ever dropped by the policy of their topic.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Wakes `waker` when something is pushed.
    pub fn register(&self, waker: &Waker) {
        self.ready.register(waker);
    }

    /// Whether anything may wait, or it has ended. What is added at this moment is seen at the latest when the session is
    /// woken for it.
    #[inline]
    pub fn is_active(&self) -> bool {
        self.is_active.load(Ordering::Acquire)
    }

    /// Locks the state to add something or to end.
    fn lock_to_add(&self) -> MutexGuard<'_, State> {
        let state = self.lock();
        self.is_active.store(true, Ordering::Release);
        state
    }

    /// A panic cannot happen between two changes that belong together, so poisoning means nothing.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventQueue for Outbox {
    fn bytes(&self) -> usize {
        self.bytes()
    }

    fn dropped(&self) -> u64 {
        self.dropped()
    }
}
