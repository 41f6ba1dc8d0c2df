//! The events that wait for one client, in the order in which they are to be sent.
//!
//! Says what goes when a client falls behind; knows no lock, no waker and no socket. Bytes counted
//! are always bytes queued.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::{Delivery, discarded::Discarded, guard::Restriction};
use crate::wire::Encoded;

/// The number by which the topics of one client are told apart; 0 for events that are not counted.
pub(super) type TopicNumber = u32;

/// Topic and key of events of which older ones may be lost.
pub(super) type Lane = (&'static str, u64);

/// Where an event comes from, as its client and the authorization of topics see it.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    pub(super) topic: TopicNumber,
    /// The subscription whose own stream it is from; 0 for an event of a topic that clients share.
    pub(super) stream: u64,
    /// What decides who may see it; `None` when everybody may.
    pub(super) restriction: Option<Arc<Restriction>>,
}

impl Origin {
    pub(super) const fn topic(topic: TopicNumber) -> Self {
        Self { topic, stream: 0, restriction: None }
    }
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// An entry without frames stood for an event that was dropped.
    entries: VecDeque<Entry>,
    /// How many of them there are.
    vacant: usize,
    /// How many entries have ever left: the number of the first one.
    left: u64,
    /// The numbers of the entries of each lane, oldest first.
    lanes: HashMap<Lane, VecDeque<u64>>,
    /// Bytes of events that must not be lost, and of the others: what may be lost never makes the
    /// client lose its connection for what may not.
    reliable: Tally,
    lossy: Tally,
    reply: u64,
    origin: Origin,
}

#[derive(Debug, Default)]
struct Tally {
    entries: usize,
    bytes: usize,
}

impl Tally {
    fn add(&mut self, message: &Encoded) {
        self.entries += 1;
        self.bytes += message.len();
    }

    fn remove(&mut self, message: &Encoded) {
        self.entries -= 1;
        self.bytes -= message.len();
    }
}

#[derive(Debug)]
struct Entry {
    message: Encoded,
    lane: Option<Lane>,
    origin: Origin,
    after_reply: u64,
}

/// An event that has left the queue.
#[derive(Debug)]
pub(super) struct Popped {
    pub(super) origin: Origin,
    /// Where older ones may be lost.
    pub(super) lane: Option<Lane>,
    pub(super) message: Encoded,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// The event waits, and so many older ones of its topic do not wait any more.
    Dropped(usize),
    /// It fits no more, and nothing may be dropped for it.
    Overflow,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// From now on, what is added must not be sent before the reply of that number.
    pub(super) const fn set_reply(&mut self, number: u64) {
        self.reply = number;
    }

    /// What is added from now on comes from there.
    pub(super) fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.reliable.bytes + self.lossy.bytes
    }

    /// Adds an event of a lane; all events together may have `limit` bytes, and one of any size always
    /// may wait.
    pub(super) fn push(
        &mut self,
        lane: Lane,
        delivery: Delivery,
        message: Encoded,
        limit: usize,
        discarded: &mut Discarded,
    ) -> Pushed {
        if message.frames().is_empty() {
            return Pushed::Dropped(0);
        }
        match delivery {
            Delivery::Reliable => self.push_reliable(message, limit, discarded),
            Delivery::Latest => self.push_lossy(lane, 1, message, limit, discarded),
            Delivery::DropOldest(count) => self.push_lossy(lane, count.max(1), message, limit, discarded),
        }
    }

    /// Adds an event that must not be lost.
    pub(super) fn push_reliable(&mut self, message: Encoded, limit: usize, discarded: &mut Discarded) -> Pushed {
        if message.frames().is_empty() {
            return Pushed::Dropped(0);
        }
        if self.reliable.entries > 0 && self.reliable.bytes + message.len() > limit {
            discarded.message(message);
            return Pushed::Overflow;
        }
        self.append(message, None);
        Pushed::Dropped(0)
    }

    /// Adds what has left another queue of the client and did not arrive.
    pub(super) fn restore(&mut self, event: Popped) {
        self.origin = event.origin;
        self.append(event.message, event.lane);
    }

    /// When `capacity` events of the lane wait, or all have more than `limit` bytes, its oldest go and
    /// the others move up, so that a busy topic keeps its places between the others.
    fn push_lossy(&mut self, lane: Lane, capacity: usize, message: Encoded, limit: usize, discarded: &mut Discarded) -> Pushed {
        let fits = self.lossy.bytes + message.len() <= limit;
        let waiting = self.lanes.get(&lane).map_or(0, VecDeque::len);
        if waiting == 0 && lane.1 != 0 && !fits && self.lossy.entries > 0 {
            // Keys are chosen at run time, so their number bounds nothing.
            discarded.message(message);
            return Pushed::Overflow;
        }
        if waiting == 0 || (fits && waiting < capacity) {
            self.append(message, Some(lane));
            return Pushed::Dropped(0);
        }
        let numbers = self.lanes.entry(lane).or_default();
        let places: Vec<_> = numbers.iter().filter_map(|number| usize::try_from(number - self.left).ok()).collect();
        let mut messages: VecDeque<_> =
            places.iter().map(|place| std::mem::replace(&mut self.entries[*place].message, Encoded::nothing())).collect();
        self.lossy.add(&message);
        messages.push_back(message);
        let mut dropped = 0;
        while messages.len() > capacity || (messages.len() > 1 && self.lossy.bytes > limit) {
            if let Some(oldest) = messages.pop_front() {
                self.lossy.remove(&oldest);
                discarded.message(oldest);
            }
            dropped += 1;
        }
        numbers.truncate(messages.len());
        self.vacant += places.len() - messages.len();
        for (place, message) in places.into_iter().zip(messages) {
            let entry = &mut self.entries[place];
            // The message that was there has been taken out.
            (entry.message, entry.after_reply) = (message, self.reply);
            entry.origin.clone_from(&self.origin);
        }
        if self.vacant > self.entries.len() / 2 {
            self.close_up();
        }
        Pushed::Dropped(dropped)
    }

    /// Takes out the places of what was dropped, of which there may be any number where little is taken.
    fn close_up(&mut self) {
        self.entries.retain(|entry| !entry.message.frames().is_empty());
        self.vacant = 0;
        self.lanes.values_mut().for_each(VecDeque::clear);
        for (number, entry) in (self.left..).zip(&self.entries) {
            if let Some(numbers) = entry.lane.and_then(|lane| self.lanes.get_mut(&lane)) {
                numbers.push_back(number);
            }
        }
    }

    fn append(&mut self, message: Encoded, lane: Option<Lane>) {
        match lane {
            None => self.reliable.add(&message),
            Some(lane) => {
                self.lossy.add(&message);
                self.lanes.entry(lane).or_default().push_back(self.left + self.entries.len() as u64);
            }
        }
        self.entries.push_back(Entry { message, lane, origin: self.origin.clone(), after_reply: self.reply });
    }

    /// The next event, and the number of the reply that must be sent before it: that of the call, if any, that
    /// published it.
    pub(super) fn pop(&mut self) -> Option<(u64, Popped)> {
        loop {
            let Entry { message, lane, origin, after_reply } = self.entries.pop_front()?;
            let number = self.left;
            self.left += 1;
            match lane {
                None => self.reliable.remove(&message),
                Some(_) if message.frames().is_empty() => {
                    self.vacant = self.vacant.saturating_sub(1);
                    continue;
                }
                Some(lane) => {
                    self.lossy.remove(&message);
                    self.leave(lane, number);
                }
            }
            if self.is_empty() && self.entries.capacity() > 64 {
                self.entries = VecDeque::new();
            }
            return Some((after_reply, Popped { origin, lane, message }));
        }
    }

    /// What restricts the events that wait.
    pub(super) fn restrictions(&self) -> impl Iterator<Item = &Arc<Restriction>> {
        self.entries.iter().filter_map(|entry| entry.origin.restriction.as_ref())
    }

    /// Takes out the events that are not to be sent after all.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&Origin) -> bool, discarded: &mut Discarded) {
        let Self { entries, reliable, lossy, .. } = self;
        for entry in entries.iter_mut().filter(|entry| !entry.message.frames().is_empty() && !stays(&entry.origin)) {
            let message = std::mem::replace(&mut entry.message, Encoded::nothing());
            match entry.lane {
                None => reliable.remove(&message),
                Some(_) => lossy.remove(&message),
            }
            discarded.message(message);
        }
        self.close_up();
    }

    fn leave(&mut self, lane: Lane, number: u64) {
        let Some(numbers) = self.lanes.get_mut(&lane) else { return };
        if numbers.front() == Some(&number) {
            numbers.pop_front();
        }
        // A topic without keys will be back; of keys, nobody knows how many there are.
        if numbers.is_empty() && lane.1 != 0 {
            self.lanes.remove(&lane);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Frame, FrameKind};

    const AMPLE: usize = 1000;
    const LARGE: &str = "so large that hardly anything else fits beside it, and what was there before must go for it";

    impl Queue {
        /// Adds an event and drops what it replaces.
        fn put(&mut self, topic: &'static str, key: u64, delivery: Delivery, message: Encoded, limit: usize) -> Pushed {
            self.push((topic, key), delivery, message, limit, &mut Discarded::default())
        }
    }

    fn event(text: &'static str) -> Encoded {
        Encoded::one(Frame::new(FrameKind::Text, text))
    }

    fn drain(queue: &mut Queue) -> Vec<String> {
        let texts = std::iter::from_fn(|| queue.pop())
            .map(|(_, event)| String::from_utf8(event.message.frames()[0].head.to_vec()).unwrap())
            .collect();
        assert_eq!((queue.bytes(), queue.reliable.entries, queue.lossy.entries), (0, 0, 0), "what is counted is what is queued");
        texts
    }

    #[test]
    fn reliable_events_keep_their_order_and_number() {
        let mut queue = Queue::default();
        for text in ["ab", "cd", "ef"] {
            assert_eq!(queue.put("t", 0, Delivery::Reliable, event(text), 6), Pushed::Dropped(0));
        }
        assert_eq!(queue.put("t", 0, Delivery::Reliable, event("g"), 6), Pushed::Overflow);
        assert_eq!(drain(&mut queue), ["ab", "cd", "ef"]);
    }

    #[test]
    fn one_event_of_any_size_may_wait() {
        let mut queue = Queue::default();
        assert_eq!(queue.put("t", 0, Delivery::Reliable, event("larger than the limit"), 3), Pushed::Dropped(0));
        assert_eq!(drain(&mut queue).len(), 1);
    }

    #[test]
    fn the_places_of_what_was_dropped_do_not_add_up() {
        let mut queue = Queue::default();
        for _ in 0..1000 {
            (0..5).for_each(|_| _ = queue.put("t", 0, Delivery::DropOldest(50), event("small"), 100));
            queue.put("t", 0, Delivery::DropOldest(50), event(LARGE), 100);
        }
        assert!(queue.len() < 100, "{}", queue.len());
        (0..3).for_each(|_| _ = queue.put("t", 0, Delivery::DropOldest(50), event("new"), 100));
        assert_eq!(drain(&mut queue), [LARGE, "new", "new", "new"]);
    }

    #[test]
    fn what_may_be_lost_does_not_push_out_what_may_not() {
        let mut queue = Queue::default();
        queue.put("l", 0, Delivery::Latest, event("far larger than the limit"), 8);
        assert_eq!(queue.put("r", 0, Delivery::Reliable, event("1234"), 8), Pushed::Dropped(0));
        assert_eq!(queue.put("l", 0, Delivery::Latest, event("new"), 8), Pushed::Dropped(1));
        assert_eq!(drain(&mut queue), ["new", "1234"]);
    }

    #[test]
    fn latest_keeps_the_newest_in_the_oldest_place() {
        let mut queue = Queue::default();
        queue.put("a", 0, Delivery::Latest, event("a1"), AMPLE);
        queue.put("r", 0, Delivery::Reliable, event("r1"), AMPLE);
        assert_eq!(queue.put("a", 0, Delivery::Latest, event("a2"), AMPLE), Pushed::Dropped(1));
        assert_eq!(queue.put("a", 0, Delivery::Latest, event("a3"), AMPLE), Pushed::Dropped(1));
        assert_eq!(drain(&mut queue), ["a3", "r1"]);
        queue.put("a", 0, Delivery::Latest, event("a4"), AMPLE);
        assert_eq!(drain(&mut queue), ["a4"]);
    }

    #[test]
    fn latest_keeps_one_of_each_key() {
        let mut queue = Queue::default();
        for (key, text) in [(1, "x1"), (2, "y1"), (1, "x2"), (3, "z1"), (2, "y2")] {
            queue.put("t", key, Delivery::Latest, event(text), AMPLE);
        }
        assert_eq!(drain(&mut queue), ["x2", "y2", "z1"]);
        assert!(queue.lanes.is_empty(), "keys are forgotten");
        queue.put("t", 1, Delivery::Latest, event("x"), 1);
        assert_eq!(queue.put("t", 2, Delivery::Latest, event("y"), 1), Pushed::Overflow, "keys do not escape the limit");
        assert_eq!(queue.put("t", 1, Delivery::Latest, event("z"), 1), Pushed::Dropped(1));
    }

    #[test]
    fn drop_oldest_keeps_the_last_ones_in_order() {
        let mut queue = Queue::default();
        for text in ["1", "2", "3", "4", "5"] {
            queue.put("d", 0, Delivery::DropOldest(2), event(text), AMPLE);
            queue.put("r", 0, Delivery::Reliable, event("r"), AMPLE);
        }
        assert_eq!(drain(&mut queue), ["4", "r", "5", "r", "r", "r", "r"]);
    }

    #[test]
    fn lossy_events_keep_the_byte_limit_too() {
        let mut queue = Queue::default();
        for text in ["1111", "2222", "3333"] {
            assert_eq!(queue.put("d", 0, Delivery::DropOldest(100), event(text), 12), Pushed::Dropped(0));
        }
        assert_eq!(queue.put("d", 0, Delivery::DropOldest(100), event("44444"), 12), Pushed::Dropped(2));
        assert_eq!(queue.bytes(), 9);
        assert_eq!(queue.put("d", 0, Delivery::DropOldest(100), event("5"), 12), Pushed::Dropped(0));
        assert_eq!(drain(&mut queue), ["3333", "44444", "5"]);
        for _ in 0..1000 {
            queue.put("d", 0, Delivery::DropOldest(100), event("far larger than the limit"), 12);
        }
        assert_eq!(queue.entries.len(), 1, "what is dropped leaves nothing behind");
        assert_eq!(drain(&mut queue).len(), 1);
    }

    /// Against a model that keeps plain lists: nothing but what the policy allows is lost, in order.
    #[test]
    fn agrees_with_a_model_under_random_use() {
        let mut seed = 7_u32;
        let mut random = |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % below
        };
        let (mut queue, mut model) = (Queue::default(), HashMap::<&str, VecDeque<u32>>::new());
        for number in 0..20_000 {
            if random(3) == 0 {
                if let Some((_, event)) = queue.pop() {
                    let text = String::from_utf8(event.message.frames()[0].head.to_vec()).unwrap();
                    let (topic, number) = text.split_once(':').unwrap();
                    assert_eq!(model.get_mut(topic).unwrap().pop_front(), Some(number.parse().unwrap()), "{topic}");
                }
                continue;
            }
            let (topic, delivery, capacity) =
                [("r", Delivery::Reliable, usize::MAX), ("l", Delivery::Latest, 1), ("d", Delivery::DropOldest(7), 7)]
                    [random(3) as usize];
            let message = Encoded::one(Frame::new(FrameKind::Text, format!("{topic}:{number}")));
            assert_ne!(queue.put(topic, 0, delivery, message, usize::MAX), Pushed::Overflow);
            let waiting = model.entry(topic).or_default();
            waiting.push_back(number);
            if waiting.len() > capacity {
                waiting.pop_front();
            }
            let queued: usize = queue.entries.iter().map(|entry| entry.message.len()).sum();
            assert_eq!(queue.bytes(), queued);
        }
    }
}
