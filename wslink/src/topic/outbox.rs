//! The events that wait for one client: bounded, shared by all publishers and one connection.
//!
//! Pushing never blocks and never waits for a socket. What is dropped is dropped by the policy of
//! its topic and counted.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use futures_util::task::AtomicWaker;

use super::Delivery;
use crate::wire::Encoded;

#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    ready: AtomicWaker,
    limit: usize,
}

/// The client fell behind on a reliable topic by more than its outbox holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Entry>,
    /// How many entries have ever left the queue: the number of its first one.
    left: u64,
    /// The numbers of the entries of each topic that may lose events, oldest first.
    lossy: HashMap<&'static str, VecDeque<u64>>,
    bytes: usize,
    dropped: u64,
    overflowed: bool,
}

#[derive(Debug)]
struct Entry {
    message: Encoded,
    lossy: Option<&'static str>,
}

impl Outbox {
    pub(crate) fn new(limit: usize) -> Self {
        Self { state: Mutex::default(), ready: AtomicWaker::new(), limit }
    }

    /// Adds an event of a topic that is known when the program is compiled.
    pub(crate) fn push(&self, topic: &'static str, delivery: Delivery, message: Encoded) {
        match delivery {
            Delivery::Reliable => self.push_reliable(message),
            Delivery::Latest => self.push_lossy(topic, 1, message),
            Delivery::DropOldest(count) => self.push_lossy(topic, count.max(1), message),
        }
    }

    /// Adds an event that must not be lost.
    pub(crate) fn push_reliable(&self, message: Encoded) {
        let mut state = self.lock();
        if state.overflowed {
            return;
        }
        if !state.queue.is_empty() && state.bytes + message.len() > self.limit {
            state.overflow();
        } else {
            state.bytes += message.len();
            state.queue.push_back(Entry { message, lossy: None });
        }
        drop(state);
        self.ready.wake();
    }

    fn push_lossy(&self, topic: &'static str, capacity: usize, message: Encoded) {
        let mut state = self.lock();
        if state.overflowed {
            return;
        }
        state.push_lossy(topic, capacity, message);
        drop(state);
        self.ready.wake();
    }

    /// The next event to send.
    pub(crate) fn pop(&self) -> Result<Option<Encoded>, Overflow> {
        let mut state = self.lock();
        if state.overflowed { Err(Overflow) } else { Ok(state.pop()) }
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

impl State {
    /// Adds `message`; when its topic has `capacity` events waiting, the oldest goes and the others
    /// move up, so that a busy topic keeps its places in the queue.
    fn push_lossy(&mut self, topic: &'static str, capacity: usize, message: Encoded) {
        let numbers = self.lossy.entry(topic).or_default();
        self.bytes += message.len();
        if numbers.len() < capacity {
            numbers.push_back(self.left + self.queue.len() as u64);
            self.queue.push_back(Entry { message, lossy: Some(topic) });
            return;
        }
        let mut next = message;
        for number in numbers.iter().rev() {
            if let Some(entry) = usize::try_from(number - self.left).ok().and_then(|at| self.queue.get_mut(at)) {
                next = std::mem::replace(&mut entry.message, next);
            }
        }
        self.bytes -= next.len();
        self.dropped += 1;
    }

    fn pop(&mut self) -> Option<Encoded> {
        let entry = self.queue.pop_front()?;
        self.left += 1;
        self.bytes -= entry.message.len();
        if let Some(numbers) = entry.lossy.and_then(|topic| self.lossy.get_mut(topic)) {
            numbers.pop_front();
        }
        if self.queue.is_empty() && self.queue.capacity() > 64 {
            self.queue = VecDeque::new();
        }
        Some(entry.message)
    }

    fn overflow(&mut self) {
        self.overflowed = true;
        self.queue = VecDeque::new();
        self.lossy = HashMap::new();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Frame, FrameKind};

    fn event(text: &'static str) -> Encoded {
        Encoded::one(Frame::new(FrameKind::Text, text))
    }

    fn drain(outbox: &Outbox) -> Vec<String> {
        std::iter::from_fn(|| outbox.pop().unwrap())
            .map(|message| String::from_utf8(message.frames()[0].head.to_vec()).unwrap())
            .collect()
    }

    fn bytes_and_dropped(outbox: &Outbox) -> (usize, u64) {
        let state = outbox.lock();
        (state.bytes, state.dropped)
    }

    #[test]
    fn reliable_events_keep_their_order_and_number() {
        let outbox = Outbox::new(6);
        ["ab", "cd", "ef"].into_iter().for_each(|text| outbox.push("t", Delivery::Reliable, event(text)));
        assert_eq!(drain(&outbox), ["ab", "cd", "ef"]);
        assert_eq!(outbox.lock().bytes, 0);
    }

    #[test]
    fn one_event_of_any_size_may_wait_and_no_more_than_the_limit() {
        let outbox = Outbox::new(3);
        outbox.push("t", Delivery::Reliable, event("larger than the limit"));
        assert_eq!(drain(&outbox).len(), 1);
        outbox.push("t", Delivery::Reliable, event("ab"));
        outbox.push("t", Delivery::Reliable, event("cd"));
        assert_eq!(outbox.pop().unwrap_err(), Overflow);
        outbox.push("t", Delivery::Reliable, event("x"));
        assert_eq!(outbox.lock().bytes, 0, "an overflowed outbox holds nothing");
    }

    #[test]
    fn latest_keeps_the_newest_in_the_oldest_place() {
        let outbox = Outbox::new(100);
        outbox.push("a", Delivery::Latest, event("a1"));
        outbox.push("r", Delivery::Reliable, event("r1"));
        outbox.push("a", Delivery::Latest, event("a2"));
        outbox.push("a", Delivery::Latest, event("a3"));
        assert_eq!(bytes_and_dropped(&outbox), (4, 2));
        assert_eq!(drain(&outbox), ["a3", "r1"]);
        outbox.push("a", Delivery::Latest, event("a4"));
        assert_eq!(drain(&outbox), ["a4"]);
    }

    #[test]
    fn drop_oldest_keeps_the_last_ones_in_order() {
        let outbox = Outbox::new(100);
        for text in ["1", "2", "3", "4", "5"] {
            outbox.push("d", Delivery::DropOldest(2), event(text));
            outbox.push("r", Delivery::Reliable, event("r"));
        }
        assert_eq!(drain(&outbox), ["4", "r", "5", "r", "r", "r", "r"]);
        assert_eq!(bytes_and_dropped(&outbox), (0, 3));
    }
}
