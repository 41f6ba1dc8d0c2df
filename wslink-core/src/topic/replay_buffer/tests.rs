//! The events that a client receives when it resumes, compared with a model.

use super::*;
use crate::wire::{Encoded, Frame, FrameKind};

fn event(topic: TopicNumber, text: impl Into<String>) -> Event {
    Event::new(Source::Topic(topic), Encoded::one(Frame::new(FrameKind::Text, text.into())))
}

impl ReplayBuffer {
    /// Records an event and drops what is not kept any more.
    fn note(&mut self, lane: Option<Lane>, event: Event) {
        self.record(lane, event, &mut Discarded::default());
    }
}

fn text(event: &Event) -> String {
    String::from_utf8(event.message.frames()[0].head.to_vec()).unwrap()
}

/// What a client gets that has received so many and knows what it missed before.
fn rest(history: &mut ReplayBuffer, received: u64) -> (Vec<String>, Vec<(TopicNumber, u64)>) {
    let Rest { events, missed } = history.take_rest(received, |_| true, &mut Discarded::default());
    history.confirm();
    let mut missed: Vec<_> = missed.into_iter().collect();
    missed.sort_unstable();
    (events.iter().map(|(_, event)| text(event)).collect(), missed)
}

#[test]
fn what_did_not_arrive_comes_again_in_order_and_what_is_gone_is_counted() {
    let mut history = ReplayBuffer::new(3 * (ENTRY_OVERHEAD + 2));
    for text in ["a1", "a2", "b1", "a3", "b2"] {
        history.note(None, event(if text.starts_with('a') { 1 } else { 2 }, text));
    }
    assert_eq!(rest(&mut history, 1), (vec!["b1".to_owned(), "a3".to_owned(), "b2".to_owned()], vec![(1, 1)]));
    assert_eq!(rest(&mut history, 1), (vec![], vec![]), "counted as the client does");
    history.note(None, event(1, "a4"));
    assert_eq!(rest(&mut history, u64::MAX), (vec![], vec![]), "whatever it says");
    history.note(None, event(1, "a5"));
    history.note(None, event(1, "a6"));
    assert_eq!(rest(&mut history, 2).0, ["a5", "a6"]);
}

#[test]
fn of_what_may_be_lost_the_newest_of_each_key_is_kept() {
    let mut history = ReplayBuffer::new(2 * (ENTRY_OVERHEAD + 2));
    for (key, text) in [(1, "x1"), (2, "y1"), (1, "x2")] {
        history.note(Some(("t", key)), event(1, text));
    }
    history.note(None, event(2, "r1"));
    history.note(Some(("t", 1)), event(1, "x3"));
    history.note(None, event(2, "r2"));
    history.note(Some(("t", 3)), event(1, "z1"));
    let expected = ["r1", "x3", "r2", "z1"].map(str::to_owned).to_vec();
    assert_eq!(rest(&mut history, 0), (expected, vec![(1, 3)]), "y1 was the oldest");
    history.note(None, event(2, "far larger than everything that may be kept".repeat(20)));
    history.note(None, Event { source: Source::Stream, ..event(0, "not counted") });
    assert_eq!((history.reliable_bytes, rest(&mut history, 0)), (0, (vec![], vec![(2, 1)])));
}

#[test]
fn what_comes_again_is_newer_than_what_was_missed() {
    let mut history = ReplayBuffer::new(2 * (ENTRY_OVERHEAD + 2));
    let large = || event(1, "far larger than everything that may be kept".repeat(20));
    history.note(None, event(1, "a1"));
    history.note(None, event(2, "b1"));
    history.note(None, large());
    history.note(None, event(1, "a3"));
    assert_eq!(rest(&mut history, 0), (vec!["b1".to_owned(), "a3".to_owned()], vec![(1, 2)]));
    history.note(Some(("t", 1)), event(1, "x1"));
    history.note(Some(("t", 2)), event(1, "y1"));
    history.note(Some(("t", 1)), large());
    assert_eq!(rest(&mut history, 0), (vec!["y1".to_owned()], vec![(1, 2)]), "x1 is not the newest of its key");
    assert_eq!((history.reliable_bytes, history.lossy_bytes), (0, 0));
}

#[test]
fn what_was_missed_is_told_until_the_client_knows() {
    let mut history = ReplayBuffer::new(ENTRY_OVERHEAD + 2);
    (1..=3).for_each(|number| history.note(None, event(7, format!("a{number}"))));
    for _ in 0..3 {
        // The answer is lost, and so is what was sent after it.
        let Rest { events, missed } = history.take_rest(0, |_| true, &mut Discarded::default());
        assert_eq!((events.len(), missed), (1, HashMap::from([(7, 2)])));
        events.into_iter().for_each(|(lane, event)| history.note(lane, event));
    }
    history.confirm();
    assert_eq!(rest(&mut history, 0), (vec!["a3".to_owned()], vec![]));
}

#[test]
fn what_a_topic_retained_comes_again_unless_it_has_arrived_for_certain() {
    let mut history = ReplayBuffer::new(1000);
    let retained = || Event { source: Source::Retained(5), ..event(0, "retained") };
    history.note(None, event(1, "before"));
    history.note(None, retained());
    history.note(None, event(1, "after"));
    let all = |texts: &[&str]| (texts.iter().map(|text| (*text).to_owned()).collect(), vec![]);
    assert_eq!(rest(&mut history, 2), all(&[]), "a later event has arrived");
    history.note(None, retained());
    history.note(None, event(1, "after"));
    assert_eq!(rest(&mut history, 2), all(&["retained", "after"]), "it is not known");
}

#[test]
fn what_cannot_be_told_is_known_not_to_be() {
    let mut history = ReplayBuffer::new(20 * (ENTRY_OVERHEAD + 2));
    for number in 0..1000 {
        history.note(None, event(number % 2, "ab"));
    }
    assert!(history.lost.len() < 2 * MIN_RUNS);
    assert!(history.accounts_for(980) && !history.accounts_for(500));
    history.disconnected();
    for number in 0..1000 {
        history.note(None, event(number % 2, "ab"));
    }
    assert!(history.accounts_for(990), "nothing that is lost while it is away needs memory");
    assert_eq!(rest(&mut history, 990).1, [(0, 495), (1, 495)]);
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
    let at = |topic: TopicNumber| usize::try_from(topic).unwrap();
    let mut history = ReplayBuffer::new(40 * (ENTRY_OVERHEAD + 8));
    let mut waiting = VecDeque::new();
    let (mut published, mut received, mut last, mut missed) = ([0_u64; 3], [0_u64; 3], [0_u64; 3], [0_u64; 3]);
    for _ in 0..20_000 {
        let topic = u64::from(random(2) + 1);
        published[at(topic)] += 1;
        let lane = (topic == 2).then_some(("lossy", u64::from(random(3))));
        waiting.push_back((lane, event(topic, format!("{topic}:{}", published[at(topic)]))));
        if random(60) > 0 {
            continue;
        }
        // Some arrive, others are sent and lost, the rest would have been sent.
        let sent = u32::try_from(waiting.len()).unwrap();
        let arrive = random(sent + 1);
        let lost = arrive + random(sent - arrive + 1);
        for place in 0..sent {
            let (lane, event) = waiting.pop_front().unwrap();
            if place < arrive {
                let said = text(&event);
                let (topic, number) = said.split_once(':').unwrap();
                let (topic, number) = (topic.parse::<usize>().unwrap(), number.parse::<u64>().unwrap());
                assert!(number > last[topic], "once and in order");
                (last[topic], received[topic]) = (number, received[topic] + 1);
            }
            if place == lost {
                history.disconnected();
            }
            history.note(lane, event);
        }
        let reliable: usize = history.reliable.iter().map(Kept::cost).sum();
        let lossy: usize = history.lossy.values().map(Kept::cost).sum();
        assert_eq!((history.reliable_bytes, history.lossy_bytes), (reliable, lossy), "what is counted is what is kept");
        assert!(reliable <= history.limit && lossy <= history.limit && history.newest.len() == history.lossy.len());
        let got = received.iter().sum();
        assert!(history.accounts_for(got));
        let Rest { events, missed: told } = history.take_rest(got, |_| true, &mut Discarded::default());
        // Sometimes the answer is lost, and the client comes back again.
        if random(3) > 0 {
            history.confirm();
            told.into_iter().for_each(|(topic, lost)| missed[at(topic)] += lost);
        }
        waiting.extend(events);
    }
    let Rest { events, missed: told } = history.take_rest(u64::MAX, |_| true, &mut Discarded::default());
    told.into_iter().for_each(|(topic, lost)| missed[at(topic)] += lost);
    waiting.extend(events);
    for topic in [1, 2] {
        let waits = waiting.iter().filter(|(_, event)| event.source == Source::Topic(topic)).count() as u64;
        let topic = at(topic);
        assert_eq!(published[topic], received[topic] + missed[topic] + waits);
        assert!(missed[topic] > 0 && received[topic] > 0);
    }
}

#[test]
fn subscriptions_whose_beginning_is_gone_are_known() {
    let mut history = ReplayBuffer::new(ENTRY_OVERHEAD + 10);
    let retained = |subscription| Event { source: Source::Retained(subscription), ..event(0, "retained") };
    history.note(None, retained(5));
    history.note(None, event(1, "later"));
    history.note(None, retained(6));
    history.note(None, retained(7));
    assert_eq!(history.lost_beginnings(1), [6], "5 has arrived before an event that has, and 7 is kept");
    assert_eq!(rest(&mut history, 1).0, ["retained"]);
    for subscription in 0..3 * MAX_BEGINNINGS as u64 {
        history.note(None, retained(subscription));
    }
    history.note(None, event(1, "later"));
    assert_eq!(history.beginnings.len(), MAX_BEGINNINGS);
    assert!(!history.accounts_for(1) && history.accounts_for(2), "not all are known");
}
