//! What one client was sent, and would have been sent while it was away: how many events of each topic,
//! and the newest of them, in case they did not arrive. Bytes counted are always bytes kept.
//!
//! Of a topic that may lose events only the newest of each key is kept. As in the outbox, what may be
//! lost and what may not have a limit each.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use super::{
    discarded::Discarded,
    guard::Restriction,
    queue::{Lane, Origin, Popped, TopicNumber},
};

/// What keeping an event costs beside its bytes.
const ENTRY_OVERHEAD: usize = 128;

#[derive(Debug)]
pub(super) struct History {
    /// How many events of each topic were sent.
    sent: HashMap<TopicNumber, u64>,
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
}

#[derive(Debug)]
struct Kept {
    order: u64,
    /// Which of its topic it is, from 1.
    number: u64,
    event: Popped,
}

impl Kept {
    fn cost(&self) -> usize {
        self.event.message.len() + ENTRY_OVERHEAD
    }
}

impl History {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            sent: HashMap::new(),
            reliable: VecDeque::new(),
            lossy: BTreeMap::new(),
            newest: HashMap::new(),
            recorded: 0,
            reliable_bytes: 0,
            lossy_bytes: 0,
            limit,
        }
    }

    /// `event` was sent, or would have been.
    pub(super) fn record(&mut self, event: Popped, discarded: &mut Discarded) {
        if event.origin.topic == 0 {
            discarded.message(event.message);
            return;
        }
        let sent = self.sent.entry(event.origin.topic).or_default();
        *sent = sent.saturating_add(1);
        self.recorded += 1;
        let kept = Kept { order: self.recorded, number: *sent, event };
        if kept.cost() > self.limit {
            discarded.message(kept.event.message);
            return;
        }
        match kept.event.lane {
            None => self.keep(kept, discarded),
            Some(lane) => self.keep_newest(lane, kept, discarded),
        }
    }

    fn keep(&mut self, kept: Kept, discarded: &mut Discarded) {
        self.reliable_bytes += kept.cost();
        self.reliable.push_back(kept);
        while self.reliable_bytes > self.limit
            && let Some(oldest) = self.reliable.pop_front()
        {
            self.reliable_bytes -= oldest.cost();
            discarded.message(oldest.event.message);
        }
    }

    fn keep_newest(&mut self, lane: Lane, kept: Kept, discarded: &mut Discarded) {
        let older = self.newest.insert(lane, kept.order).and_then(|older| self.lossy.remove(&older));
        self.lossy_bytes += kept.cost();
        if let Some(older) = older {
            self.lossy_bytes -= older.cost();
            discarded.message(older.event.message);
        }
        self.lossy.insert(kept.order, kept);
        while self.lossy_bytes > self.limit
            && let Some((_, oldest)) = self.lossy.pop_first()
        {
            self.lossy_bytes -= oldest.cost();
            oldest.event.lane.map(|lane| self.newest.remove(&lane));
            discarded.message(oldest.event.message);
        }
    }

    /// What restricts the events that are kept.
    pub(super) fn restrictions(&self) -> impl Iterator<Item = &Arc<Restriction>> {
        let kept = self.reliable.iter().chain(self.lossy.values());
        kept.filter_map(|kept| kept.event.origin.restriction.as_ref())
    }

    /// Whatever is kept is not for this client any more. It still counts as sent, so that the counts of
    /// both sides agree, and as missed unless it has arrived.
    pub(super) fn forget_events(&mut self, discarded: &mut Discarded) {
        self.newest.clear();
        (self.reliable_bytes, self.lossy_bytes) = (0, 0);
        discarded.other((std::mem::take(&mut self.reliable), std::mem::take(&mut self.lossy)));
    }

    /// The client says how many events of each topic it `received`: takes out those that it did not and that are still
    /// `visible` to it, in order, and calls `missed` with the number of those that are not there any more. From now on as
    /// many count as sent as it received.
    pub(super) fn take_rest(
        &mut self,
        received: impl Fn(TopicNumber) -> u64,
        visible: impl Fn(&Origin) -> bool,
        mut missed: impl FnMut(TopicNumber, u64),
        discarded: &mut Discarded,
    ) -> Vec<Popped> {
        let all = std::mem::take(&mut self.lossy).into_values().chain(self.reliable.drain(..));
        self.newest.clear();
        (self.reliable_bytes, self.lossy_bytes) = (0, 0);
        let (mut rest, arrived): (Vec<_>, Vec<_>) = all.partition(|kept| kept.number > received(kept.event.origin.topic));
        rest.sort_unstable_by_key(|kept| kept.order);
        let mut kept_of = HashMap::<TopicNumber, u64>::new();
        rest.iter().for_each(|kept| *kept_of.entry(kept.event.origin.topic).or_default() += 1);
        // What is withheld is nothing that the client could have had: neither sent nor missed.
        let (rest, withheld): (Vec<_>, Vec<_>) = rest.into_iter().partition(|kept| visible(&kept.event.origin));
        discarded.other((arrived, withheld));
        for (topic, sent) in &mut self.sent {
            let (got, kept) = (received(*topic), kept_of.get(topic).copied().unwrap_or(0));
            match sent.saturating_sub(got).saturating_sub(kept) {
                0 => {}
                lost => missed(*topic, lost),
            }
            *sent = got;
        }
        rest.into_iter().map(|kept| kept.event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Encoded, Frame, FrameKind};

    fn event(topic: TopicNumber, lane: Option<Lane>, text: String) -> Popped {
        Popped { origin: Origin::topic(topic), lane, message: Encoded::one(Frame::new(FrameKind::Text, text)) }
    }

    impl History {
        /// Records an event and drops what is not kept any more.
        fn note(&mut self, event: Popped) {
            self.record(event, &mut Discarded::default());
        }
    }

    fn text(event: &Popped) -> String {
        String::from_utf8(event.message.frames()[0].head.to_vec()).unwrap()
    }

    fn rest(history: &mut History, received: &[(TopicNumber, u64)]) -> (Vec<String>, Vec<(TopicNumber, u64)>) {
        let received: HashMap<_, _> = received.iter().copied().collect();
        let mut missed = Vec::new();
        let rest = history.take_rest(
            |topic| received.get(&topic).copied().unwrap_or(0),
            |_| true,
            |topic, lost| missed.push((topic, lost)),
            &mut Discarded::default(),
        );
        let rest = rest.iter().map(text).collect();
        missed.sort_unstable();
        (rest, missed)
    }

    #[test]
    fn what_did_not_arrive_comes_again_in_order_and_what_is_gone_is_counted() {
        let mut history = History::new(3 * (ENTRY_OVERHEAD + 2));
        for text in ["a1", "a2", "b1", "a3", "b2"] {
            history.note(event(if text.starts_with('a') { 1 } else { 2 }, None, text.to_owned()));
        }
        assert_eq!(rest(&mut history, &[(1, 1), (2, 1)]), (vec!["a3".to_owned(), "b2".to_owned()], vec![(1, 1)]));
        assert_eq!(rest(&mut history, &[(1, 1), (2, 1)]), (vec![], vec![]), "counted as the client does");
        history.note(event(1, None, "a4".to_owned()));
        assert_eq!(rest(&mut history, &[(1, u64::MAX), (2, u64::MAX)]), (vec![], vec![]), "whatever it says");
        history.note(event(1, None, "a5".to_owned()));
        history.note(event(1, None, "a6".to_owned()));
        let (again, _) = rest(&mut history, &[(1, u64::MAX - 1)]);
        assert_eq!(again, ["a5", "a6"], "and nothing overflows");
    }

    #[test]
    fn of_what_may_be_lost_the_newest_of_each_key_is_kept() {
        let mut history = History::new(2 * (ENTRY_OVERHEAD + 2));
        for (key, text) in [(1, "x1"), (2, "y1"), (1, "x2")] {
            history.note(event(1, Some(("t", key)), text.to_owned()));
        }
        history.note(event(2, None, "r1".to_owned()));
        history.note(event(1, Some(("t", 1)), "x3".to_owned()));
        history.note(event(2, None, "r2".to_owned()));
        history.note(event(1, Some(("t", 3)), "z1".to_owned()));
        let expected = ["r1", "x3", "r2", "z1"].map(str::to_owned).to_vec();
        assert_eq!(rest(&mut history, &[]), (expected, vec![(1, 3)]), "y1 was the oldest");
        history.note(event(2, None, "far larger than everything that may be kept".repeat(20)));
        history.note(event(0, None, "not counted".to_owned()));
        assert_eq!((history.reliable_bytes, rest(&mut history, &[])), (0, (vec![], vec![(2, 1)])));
    }

    /// Against a client that gets a random part of everything, comes back, and so on: each event is
    /// delivered once, in order, or counted as missed.
    #[test]
    fn agrees_with_a_model_under_random_use() {
        let mut seed = 11_u32;
        let mut random = |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % below
        };
        let mut history = History::new(40 * (ENTRY_OVERHEAD + 8));
        let mut waiting = VecDeque::new();
        let (mut published, mut received, mut last, mut missed) = ([0_u64; 3], [0_u64; 3], [0_u64; 3], [0_u64; 3]);
        for _ in 0..20_000 {
            let topic = random(2) + 1;
            published[topic as usize] += 1;
            let lane = (topic == 2).then_some(("lossy", u64::from(random(3))));
            waiting.push_back(event(topic, lane, format!("{topic}:{}", published[topic as usize])));
            if random(60) > 0 {
                continue;
            }
            // Some arrive, others are sent and lost, the rest would have been sent.
            let sent = u32::try_from(waiting.len()).unwrap();
            let arrive = random(sent + 1);
            for at in 0..sent {
                let event = waiting.pop_front().unwrap();
                if at < arrive {
                    let said = text(&event);
                    let (topic, number) = said.split_once(':').unwrap();
                    let (topic, number) = (topic.parse::<usize>().unwrap(), number.parse::<u64>().unwrap());
                    assert!(number > last[topic], "once and in order");
                    (last[topic], received[topic]) = (number, received[topic] + 1);
                }
                history.note(event);
            }
            let reliable: usize = history.reliable.iter().map(Kept::cost).sum();
            let lossy: usize = history.lossy.values().map(Kept::cost).sum();
            assert_eq!((history.reliable_bytes, history.lossy_bytes), (reliable, lossy), "what is counted is what is kept");
            assert!(reliable <= history.limit && lossy <= history.limit && history.newest.len() == history.lossy.len());
            waiting.extend(history.take_rest(
                |topic| received[topic as usize],
                |_| true,
                |topic, lost| missed[topic as usize] += lost,
                &mut Discarded::default(),
            ));
        }
        for (number, topic) in [(1, 1), (2, 2)] {
            let waits = waiting.iter().filter(|event| event.origin.topic == number).count() as u64;
            assert_eq!(published[topic], received[topic] + missed[topic] + waits);
            assert!(missed[topic] > 0 && received[topic] > 0);
        }
    }
}
