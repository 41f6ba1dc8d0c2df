//! The events that one client was sent, or would have been sent while it was away: how many, and the newest of
//! them in case they did not arrive. Bytes counted are always bytes kept.
//!
//! Of a topic that may lose events only the newest of each key is kept. As in the outbox, what may be
//! lost and what may not have a limit each. What is not kept any more is known by its number and topic.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use super::{
    authorization::Restriction,
    discarded::Discarded,
    event::{Event, Source, TopicNumber},
    queue::Lane,
};

#[cfg(test)]
mod tests;

/// What keeping an event costs beside its bytes.
const ENTRY_OVERHEAD: usize = 160;

/// Of events that are not kept, so many runs are known, and as many more as need this part of the limit.
const MIN_RUNS: usize = 256;
const RUNS_PART: usize = 16;

/// The same for subscriptions that begin with an event that is not kept.
const MAX_BEGINNINGS: usize = 1024;

#[derive(Debug)]
pub(super) struct ReplayBuffer {
    /// How many events that the client counts were sent.
    sent: u64,
    reliable: VecDeque<Kept>,
    /// By their order.
    lossy: BTreeMap<u64, Kept>,
    /// The order of what is kept of each lane.
    newest: HashMap<Lane, u64>,
    /// How many events were ever recorded.
    recorded: u64,
    reliable_bytes: usize,
    lossy_bytes: usize,
    limit: usize,
    /// Events that were sent and are not kept.
    lost: VecDeque<Run>,
    /// The subscriptions that begin with an event which is not kept, with its number.
    beginnings: VecDeque<(u64, u64)>,
    /// Of events up to this number, not all that were lost are known.
    unknown: u64,
    /// The client is away: what has a greater number was not sent and can only be lost.
    away_from: Option<u64>,
    /// How many events of each topic are lost for certain.
    missed: HashMap<TopicNumber, u64>,
    /// The same for those that the client was told of, while it is not certain that it knows.
    told: HashMap<TopicNumber, u64>,
}

/// Lost events of one topic, with the numbers from `first` to `last`.
#[derive(Debug)]
struct Run {
    first: u64,
    last: u64,
    topic: TopicNumber,
}

#[derive(Debug)]
struct Kept {
    order: u64,
    /// Of the events that the client counts, the last one that was sent by then.
    number: u64,
    lane: Option<Lane>,
    event: Event,
}

impl Kept {
    fn cost(&self) -> usize {
        self.event.message.len() + ENTRY_OVERHEAD
    }
}

/// What a client that comes back did not receive.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// To be sent again, in order.
    pub(super) events: Vec<(Option<Lane>, Event)>,
    /// How many events of each topic are lost for good.
    pub(super) missed: HashMap<TopicNumber, u64>,
}

impl ReplayBuffer {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            sent: 0,
            reliable: VecDeque::new(),
            lossy: BTreeMap::new(),
            newest: HashMap::new(),
            recorded: 0,
            reliable_bytes: 0,
            lossy_bytes: 0,
            limit,
            lost: VecDeque::new(),
            beginnings: VecDeque::new(),
            unknown: 0,
            away_from: None,
            missed: HashMap::new(),
            told: HashMap::new(),
        }
    }

    /// `event` was sent, or would have been.
    pub(super) fn record(&mut self, lane: Option<Lane>, event: Event, discarded: &mut Discarded) {
        match event.source {
            Source::Topic(_) => self.sent += 1,
            Source::Retained(_) => {}
            Source::Uncounted | Source::Stream => return discarded.message(event.message),
        }
        self.recorded += 1;
        let kept = Kept { order: self.recorded, number: self.sent, lane, event };
        if kept.cost() > self.limit {
            self.lose_older(&kept, discarded);
            return self.lose(kept, discarded);
        }
        match lane {
            None => {
                self.reliable_bytes += kept.cost();
                self.reliable.push_back(kept);
            }
            Some(lane) => {
                let older = self.newest.insert(lane, kept.order).and_then(|older| self.lossy.remove(&older));
                self.lossy_bytes += kept.cost();
                self.lossy.insert(kept.order, kept);
                if let Some(older) = older {
                    self.lossy_bytes -= older.cost();
                    self.lose(older, discarded);
                }
            }
        }
        self.shrink(discarded);
    }

    /// From now on keeps so many bytes of events that may be lost, and of others.
    pub(super) fn set_limit(&mut self, limit: usize, discarded: &mut Discarded) {
        self.limit = limit;
        self.shrink(discarded);
    }

    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// The bytes that it needs.
    pub(super) fn bytes(&self) -> usize {
        let lost = self.lost.len() * size_of::<Run>() + self.beginnings.len() * size_of::<(u64, u64)>();
        self.reliable_bytes + self.lossy_bytes + lost
    }

    fn shrink(&mut self, discarded: &mut Discarded) {
        while self.reliable_bytes > self.limit
            && let Some(oldest) = self.reliable.pop_front()
        {
            self.reliable_bytes -= oldest.cost();
            self.lose(oldest, discarded);
        }
        while self.lossy_bytes > self.limit
            && let Some((_, oldest)) = self.lossy.pop_first()
        {
            self.lossy_bytes -= oldest.cost();
            oldest.lane.map(|lane| self.newest.remove(&lane));
            self.lose(oldest, discarded);
        }
    }

    /// Loses what is older than an event that is too large to be kept: what is sent again must be newer than what is
    /// missed, else a client takes it for the newest.
    fn lose_older(&mut self, newer: &Kept, discarded: &mut Discarded) {
        if let Some(lane) = newer.lane {
            if let Some(older) = self.newest.remove(&lane).and_then(|older| self.lossy.remove(&older)) {
                self.lossy_bytes -= older.cost();
                self.lose(older, discarded);
            }
            return;
        }
        for kept in std::mem::take(&mut self.reliable) {
            if kept.event.source == newer.event.source {
                self.reliable_bytes -= kept.cost();
                self.lose(kept, discarded);
            } else {
                self.reliable.push_back(kept);
            }
        }
    }

    /// An event is not kept any more.
    fn lose(&mut self, kept: Kept, discarded: &mut Discarded) {
        let Kept { number, event, .. } = kept;
        discarded.message(event.message);
        let topic = match event.source {
            Source::Topic(topic) => topic,
            Source::Retained(subscription) => {
                self.beginnings.push_back((subscription, number));
                if self.beginnings.len() > MAX_BEGINNINGS
                    && let Some((_, number)) = self.beginnings.pop_front()
                {
                    self.unknown = self.unknown.max(number + 1);
                }
                return;
            }
            Source::Uncounted | Source::Stream => return,
        };
        if self.away_from.is_some_and(|from| number > from) {
            *self.missed.entry(topic).or_default() += 1;
            return;
        }
        match self.lost.back_mut() {
            Some(run) if run.topic == topic && run.last + 1 == number => run.last = number,
            _ => self.lost.push_back(Run { first: number, last: number, topic }),
        }
        if self.lost.len() > MIN_RUNS + self.limit / RUNS_PART / size_of::<Run>()
            && let Some(run) = self.lost.pop_front()
        {
            self.unknown = self.unknown.max(run.last);
        }
    }

    /// The connection is lost: what is recorded from now on is not sent.
    pub(super) const fn disconnected(&mut self) {
        self.away_from = Some(self.sent);
    }

    /// What restricts the events that are kept.
    pub(super) fn restrictions(&self) -> impl Iterator<Item = &Arc<Restriction>> {
        let kept = self.reliable.iter().chain(self.lossy.values());
        kept.filter_map(|kept| kept.event.restriction.as_ref())
    }

    /// Whatever is kept is not for this client any more. It still counts as sent, so that the counts of
    /// both sides agree, and as missed unless it has arrived.
    pub(super) fn forget_events(&mut self, discarded: &mut Discarded) {
        for kept in self.take_kept() {
            self.lose(kept, discarded);
        }
    }

    /// Whether it can say what a client that `received` so many events did not.
    pub(super) const fn accounts_for(&self, received: u64) -> bool {
        received >= self.unknown
    }

    /// The subscriptions that begin with an event which a client that `received` so many has perhaps not got, and cannot
    /// get any more.
    pub(super) fn lost_beginnings(&mut self, received: u64) -> Vec<u64> {
        let is_lost = |(subscription, number)| (number >= received).then_some(subscription);
        self.beginnings.drain(..).filter_map(is_lost).collect()
    }

    /// The client was told what it missed, and knows.
    pub(super) fn confirm(&mut self) {
        self.told.clear();
    }

    /// Everything that is kept, in order.
    fn take_kept(&mut self) -> Vec<Kept> {
        let mut all: Vec<_> = std::mem::take(&mut self.lossy).into_values().chain(self.reliable.drain(..)).collect();
        all.sort_unstable_by_key(|kept| kept.order);
        self.newest.clear();
        (self.reliable_bytes, self.lossy_bytes) = (0, 0);
        all
    }

    /// The client says how many events it `received`: takes out what it did not, which is sent again as far as it
    /// `stays`. From now on as many count as sent as it received. What it was told to have missed is told again until
    /// [`confirm`](Self::confirm).
    pub(super) fn take_rest(&mut self, received: u64, stays: impl Fn(&Event) -> bool, discarded: &mut Discarded) -> Rest {
        let received = received.min(self.sent);
        for Run { first, last, topic } in self.lost.drain(..) {
            if last > received {
                *self.missed.entry(topic).or_default() += last - received.max(first - 1);
            }
        }
        let mut events = Vec::new();
        for Kept { number, lane, event, .. } in self.take_kept() {
            let arrived = match event.source {
                Source::Topic(_) => number <= received,
                // It has arrived for certain when a later event has.
                _ => number < received,
            };
            // What does not stay is nothing that the client could have had: neither sent nor missed.
            if !arrived && stays(&event) { events.push((lane, event)) } else { discarded.message(event.message) }
        }
        for (topic, lost) in self.missed.drain() {
            *self.told.entry(topic).or_default() += lost;
        }
        (self.sent, self.unknown, self.away_from) = (received, 0, None);
        Rest { events, missed: self.told.clone() }
    }
}
