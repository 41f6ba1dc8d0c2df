//! A queue of messages for one receiver, with the delivery policies.
//!
//! Drops messages of lossy lanes when the receiver falls behind. Knows no lock, no waker and no socket. Its cost is always
//! the sum of the costs of the queued messages.

use std::collections::{HashMap, VecDeque};

#[cfg(test)]
mod tests;

/// Topic and key of messages of which older ones may be lost.
pub(super) type Lane = (&'static str, u64);

/// A lossy lane's place in the list of them, from 1.
type LaneIndex = u32;

/// In the order, what must not be lost.
const RELIABLE: LaneIndex = 0;

/// More memory than for so many entries is given back when nothing waits.
const SPARE: usize = 64;

#[derive(Debug)]
pub(super) struct Queue<T> {
    /// The places, each of a lane. The k-th place of a lane is for its k-th oldest message, so nothing moves when one is
    /// dropped for a new one. Places without a message are skipped.
    order: VecDeque<LaneIndex>,
    reliable: VecDeque<Waiting<T>>,
    lossy: Vec<LossyLane<T>>,
    indices: HashMap<Lane, LaneIndex>,
    /// Lanes that are in no use.
    free: Vec<LaneIndex>,
    /// Of messages that must not be lost, and of the others: what may be lost never makes the receiver
    /// lose its connection for what may not.
    reliable_cost: usize,
    lossy_cost: usize,
    /// Of messages that must not be lost and count towards no limit.
    unlimited_cost: usize,
    lossy_messages: usize,
    /// The next message, once it was looked at. It counts towards no limit.
    next: Option<(Option<Lane>, Waiting<T>)>,
}

#[derive(Debug)]
struct LossyLane<T> {
    lane: Lane,
    messages: VecDeque<Waiting<T>>,
    /// How many places in the order it has: at least one for each message.
    places: usize,
}

#[derive(Debug)]
struct Waiting<T> {
    message: T,
    cost: usize,
    is_limited: bool,
}

/// A message that fits no more, and for which nothing may be dropped.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow<T>(pub T);

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            order: VecDeque::new(),
            reliable: VecDeque::new(),
            lossy: Vec::new(),
            indices: HashMap::new(),
            free: Vec::new(),
            reliable_cost: 0,
            lossy_cost: 0,
            unlimited_cost: 0,
            lossy_messages: 0,
            next: None,
        }
    }
}

impl<T> Queue<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many messages wait.
    pub(super) fn len(&self) -> usize {
        self.reliable.len() + self.lossy_messages + usize::from(self.next.is_some())
    }

    /// Of all messages that wait.
    pub(super) fn cost(&self) -> usize {
        let next = self.next.as_ref().map_or(0, |(_, next)| next.cost);
        self.reliable_cost + self.lossy_cost + self.unlimited_cost + next
    }

    /// Adds a message that must not be lost; all of them may cost `limit`, and one of any cost always may wait.
    #[inline]
    pub(super) fn push(&mut self, message: T, cost: usize, limit: usize) -> Result<(), Overflow<T>> {
        if self.reliable_cost > 0 && self.reliable_cost.saturating_add(cost) > limit {
            return Err(Overflow(message));
        }
        self.append_reliable(message, cost);
        Ok(())
    }

    #[inline]
    fn append_reliable(&mut self, message: T, cost: usize) {
        self.reliable_cost += cost;
        self.reliable.push_back(Waiting { message, cost, is_limited: true });
        self.order.push_back(RELIABLE);
    }

    /// Adds a message that must not be lost and counts towards no limit.
    pub(super) fn append_unlimited(&mut self, message: T, cost: usize) {
        self.unlimited_cost += cost;
        self.reliable.push_back(Waiting { message, cost, is_limited: false });
        self.order.push_back(RELIABLE);
    }

    /// Adds a message of which older ones may be lost, and gives those that are to `discard`: the oldest of its lane,
    /// while the lane has more than `capacity` or all lossy ones cost more than `limit`. Its others move up, so that a
    /// busy topic keeps its places between the others. Returns how many were dropped.
    pub(super) fn push_lossy(
        &mut self,
        lane: Lane,
        capacity: usize,
        message: T,
        cost: usize,
        limit: usize,
        mut discard: impl FnMut(T),
    ) -> Result<usize, Overflow<T>> {
        let index = self.indices.get(&lane).copied().unwrap_or_else(|| self.open(lane));
        let Some(of_lane) = self.lossy.get_mut(index as usize - 1) else { return Err(Overflow(message)) };
        of_lane.messages.push_back(Waiting { message, cost, is_limited: true });
        self.lossy_cost += cost;
        self.lossy_messages += 1;
        let mut dropped = 0;
        while (of_lane.messages.len() > capacity || self.lossy_cost > limit)
            && of_lane.messages.len() > 1
            && let Some(oldest) = of_lane.messages.pop_front()
        {
            self.lossy_cost -= oldest.cost;
            self.lossy_messages -= 1;
            discard(oldest.message);
            dropped += 1;
        }
        // Keys are chosen at run time, so their number bounds nothing.
        if lane.1 != 0
            && self.lossy_cost > limit
            && self.lossy_messages > 1
            && let Some(newest) = of_lane.messages.pop_back()
        {
            self.lossy_cost -= newest.cost;
            self.lossy_messages -= 1;
            if of_lane.places == 0 {
                self.close(index);
            }
            return Err(Overflow(newest.message));
        }
        if of_lane.messages.len() > of_lane.places {
            of_lane.places += 1;
            self.order.push_back(index);
        } else if self.order.len() > 2 * self.len() + SPARE {
            self.close_up();
        }
        Ok(dropped)
    }

    /// Adds what has left another queue of the receiver and did not arrive.
    #[inline]
    pub(super) fn append(&mut self, lane: Option<Lane>, message: T, cost: usize) {
        let Some(lane) = lane else { return self.append_reliable(message, cost) };
        let index = self.indices.get(&lane).copied().unwrap_or_else(|| self.open(lane));
        if let Some(of_lane) = self.lossy.get_mut(index as usize - 1) {
            of_lane.messages.push_back(Waiting { message, cost, is_limited: true });
            self.lossy_cost += cost;
            self.lossy_messages += 1;
            if of_lane.messages.len() > of_lane.places {
                of_lane.places += 1;
                self.order.push_back(index);
            }
        }
    }

    /// The next message, with its lane where older ones of it may be lost.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(Option<Lane>, T)> {
        let (lane, Waiting { message, .. }) = self.next()?;
        if self.is_empty() {
            self.emptied();
        }
        Some((lane, message))
    }

    /// The next message. From now on nothing takes its place.
    pub(super) fn peek(&mut self) -> Option<&T> {
        if self.next.is_none() {
            self.next = self.next();
        }
        self.next.as_ref().map(|(_, waiting)| &waiting.message)
    }

    /// Always inlined: what it returns is large, and would be copied once more for every event.
    #[inline(always)]
    fn next(&mut self) -> Option<(Option<Lane>, Waiting<T>)> {
        if self.next.is_some() {
            return self.next.take();
        }
        loop {
            let index = self.order.pop_front()?;
            if index == RELIABLE {
                let waiting = self.reliable.pop_front()?;
                let counted = if waiting.is_limited { &mut self.reliable_cost } else { &mut self.unlimited_cost };
                *counted -= waiting.cost;
                return Some((None, waiting));
            }
            let of_lane = self.lossy.get_mut(index as usize - 1)?;
            of_lane.places -= 1;
            let waiting = of_lane.messages.pop_front();
            let lane = of_lane.lane;
            if of_lane.places == 0 {
                self.close(index);
            }
            if let Some(waiting) = waiting {
                self.lossy_cost -= waiting.cost;
                self.lossy_messages -= 1;
                return Some((Some(lane), waiting));
            }
        }
    }

    /// The messages that wait, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let lossy = self.lossy.iter().flat_map(|lane| &lane.messages);
        let next = self.next.iter().map(|(_, waiting)| waiting);
        next.chain(&self.reliable).chain(lossy).map(|waiting| &waiting.message)
    }

    /// Gives to `discard` what does not stay; the others keep their order.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&T) -> bool, mut discard: impl FnMut(T)) {
        let mut before = std::mem::take(self);
        while let Some((lane, Waiting { message, cost, is_limited })) = before.next() {
            match stays(&message) {
                true if is_limited => self.append(lane, message, cost),
                true => self.append_unlimited(message, cost),
                false => discard(message),
            }
        }
    }

    fn open(&mut self, lane: Lane) -> LaneIndex {
        let index = self.free.pop().unwrap_or_else(|| {
            self.lossy.push(LossyLane { lane, messages: VecDeque::new(), places: 0 });
            LaneIndex::try_from(self.lossy.len()).unwrap_or(LaneIndex::MAX)
        });
        if let Some(of_lane) = self.lossy.get_mut(index as usize - 1) {
            of_lane.lane = lane;
        }
        self.indices.insert(lane, index);
        index
    }

    /// The lane has no places. A topic without keys will be back; of keys, nobody knows how many there are.
    fn close(&mut self, index: LaneIndex) {
        let Some(of_lane) = self.lossy.get_mut(index as usize - 1) else { return };
        if of_lane.messages.capacity() > SPARE {
            of_lane.messages = VecDeque::new();
        }
        if of_lane.lane.1 != 0 {
            self.indices.remove(&of_lane.lane);
            self.free.push(index);
        }
    }

    /// Takes out the places of what was dropped, of which there may be any number where little is taken.
    fn close_up(&mut self) {
        let Self { order, lossy, .. } = self;
        lossy.iter_mut().for_each(|lane| lane.places = 0);
        order.retain(|index| {
            let Some(of_lane) = index.checked_sub(1).and_then(|at| lossy.get_mut(at as usize)) else { return true };
            let is_taken = of_lane.places < of_lane.messages.len();
            of_lane.places += usize::from(is_taken);
            is_taken
        });
        let unused = |index: &LaneIndex| self.lossy.get(*index as usize - 1).is_some_and(|lane| lane.places == 0);
        let unused: Vec<_> = self.indices.values().copied().filter(unused).collect();
        unused.into_iter().for_each(|index| self.close(index));
    }

    /// Nothing waits: gives back what was needed for much.
    fn emptied(&mut self) {
        if self.order.capacity() > SPARE {
            *self = Self::default();
        }
    }
}
