//! Dropped messages, the order of the others, and costs that return to zero.

use super::*;
use crate::Delivery;

const AMPLE: usize = 1000;
const LARGE: &str = "so large that hardly anything else fits beside it, and what was there before must go for it";

/// What became of a push.
#[derive(Debug, PartialEq, Eq)]
enum Pushed {
    Dropped(usize),
    Overflow,
}

impl Queue<String> {
    /// Adds a message, which costs its length.
    fn put(&mut self, topic: &'static str, key: u64, delivery: Delivery, text: impl Into<String>, limit: usize) -> Pushed {
        let text = text.into();
        let (cost, mut discarded) = (text.len(), 0);
        let pushed = match delivery {
            Delivery::Reliable => self.push(text, cost, limit).map(|()| 0),
            Delivery::Latest => self.push_lossy((topic, key), 1, text, cost, limit, |_| discarded += 1),
            Delivery::DropOldest(count) => self.push_lossy((topic, key), count, text, cost, limit, |_| discarded += 1),
        };
        assert!(pushed.as_ref().map_or(true, |dropped| *dropped == discarded));
        pushed.map_or(Pushed::Overflow, Pushed::Dropped)
    }
}

fn drain(queue: &mut Queue<String>) -> Vec<String> {
    let texts = std::iter::from_fn(|| queue.pop()).map(|(_, text)| text).collect();
    assert_eq!((queue.cost(), queue.len()), (0, 0), "what is counted is what is queued");
    texts
}

#[test]
fn reliable_events_keep_their_order_and_number() {
    let mut queue = Queue::default();
    for text in ["ab", "cd", "ef"] {
        assert_eq!(queue.put("t", 0, Delivery::Reliable, text, 6), Pushed::Dropped(0));
    }
    assert_eq!(queue.put("t", 0, Delivery::Reliable, "g", 6), Pushed::Overflow);
    assert_eq!(drain(&mut queue), ["ab", "cd", "ef"]);
}

#[test]
fn one_event_of_any_size_may_wait() {
    let mut queue = Queue::default();
    assert_eq!(queue.put("t", 0, Delivery::Reliable, "larger than the limit", 3), Pushed::Dropped(0));
    assert_eq!(drain(&mut queue).len(), 1);
}

#[test]
fn what_is_not_limited_takes_no_room_from_the_rest() {
    let mut queue = Queue::default();
    queue.append_unlimited("larger than the limit".to_owned(), 21);
    queue.append_unlimited("and more".to_owned(), 8);
    assert_eq!(queue.put("t", 0, Delivery::Reliable, "abc", 3), Pushed::Dropped(0));
    assert_eq!(queue.put("t", 0, Delivery::Reliable, "d", 3), Pushed::Overflow);
    queue.retain(|text| text != "and more", drop);
    assert_eq!(queue.cost(), 24);
    assert_eq!(queue.put("t", 0, Delivery::Reliable, "d", 4), Pushed::Dropped(0));
    assert_eq!(drain(&mut queue), ["larger than the limit", "abc", "d"]);
}

#[test]
fn the_places_of_what_was_dropped_do_not_add_up() {
    let mut queue = Queue::default();
    for _ in 0..1000 {
        (0..5).for_each(|_| _ = queue.put("t", 0, Delivery::DropOldest(50), "small", 100));
        queue.put("t", 0, Delivery::DropOldest(50), LARGE, 100);
    }
    assert!(queue.order.len() < 200, "{}", queue.order.len());
    (0..3).for_each(|_| _ = queue.put("t", 0, Delivery::DropOldest(50), "new", 100));
    assert_eq!(drain(&mut queue), [LARGE, "new", "new", "new"]);
}

#[test]
fn what_may_be_lost_does_not_push_out_what_may_not() {
    let mut queue = Queue::default();
    queue.put("l", 0, Delivery::Latest, "far larger than the limit", 8);
    assert_eq!(queue.put("r", 0, Delivery::Reliable, "1234", 8), Pushed::Dropped(0));
    assert_eq!(queue.put("l", 0, Delivery::Latest, "new", 8), Pushed::Dropped(1));
    assert_eq!(drain(&mut queue), ["new", "1234"]);
}

#[test]
fn latest_keeps_the_newest_in_the_oldest_place() {
    let mut queue = Queue::default();
    queue.put("a", 0, Delivery::Latest, "a1", AMPLE);
    queue.put("r", 0, Delivery::Reliable, "r1", AMPLE);
    assert_eq!(queue.put("a", 0, Delivery::Latest, "a2", AMPLE), Pushed::Dropped(1));
    assert_eq!(queue.put("a", 0, Delivery::Latest, "a3", AMPLE), Pushed::Dropped(1));
    assert_eq!(drain(&mut queue), ["a3", "r1"]);
    queue.put("a", 0, Delivery::Latest, "a4", AMPLE);
    assert_eq!(drain(&mut queue), ["a4"]);
}

#[test]
fn latest_keeps_one_of_each_key() {
    let mut queue = Queue::default();
    for (key, text) in [(1, "x1"), (2, "y1"), (1, "x2"), (3, "z1"), (2, "y2")] {
        queue.put("t", key, Delivery::Latest, text, AMPLE);
    }
    assert_eq!(drain(&mut queue), ["x2", "y2", "z1"]);
    assert!(queue.indices.is_empty() && queue.free.len() == queue.lossy.len(), "keys are forgotten");
    queue.put("t", 1, Delivery::Latest, "x", 1);
    assert_eq!(queue.put("t", 2, Delivery::Latest, "y", 1), Pushed::Overflow, "keys do not escape the limit");
    assert_eq!(queue.put("t", 1, Delivery::Latest, "z", 1), Pushed::Dropped(1));
}

#[test]
fn drop_oldest_keeps_the_last_ones_in_order() {
    let mut queue = Queue::default();
    for text in ["1", "2", "3", "4", "5"] {
        queue.put("d", 0, Delivery::DropOldest(2), text, AMPLE);
        queue.put("r", 0, Delivery::Reliable, "r", AMPLE);
    }
    assert_eq!(drain(&mut queue), ["4", "r", "5", "r", "r", "r", "r"]);
}

#[test]
fn lossy_events_keep_the_byte_limit_too() {
    let mut queue = Queue::default();
    for text in ["1111", "2222", "3333"] {
        assert_eq!(queue.put("d", 0, Delivery::DropOldest(100), text, 12), Pushed::Dropped(0));
    }
    assert_eq!(queue.put("d", 0, Delivery::DropOldest(100), "44444", 12), Pushed::Dropped(2));
    assert_eq!(queue.cost(), 9);
    assert_eq!(queue.put("d", 0, Delivery::DropOldest(100), "5", 12), Pushed::Dropped(0));
    assert_eq!(drain(&mut queue), ["3333", "44444", "5"]);
    for _ in 0..1000 {
        queue.put("d", 0, Delivery::DropOldest(100), "far larger than the limit", 12);
    }
    assert_eq!(queue.order.len(), 1, "what is dropped leaves no place behind");
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
    let (mut queue, mut model) = (Queue::<String>::default(), HashMap::<&str, VecDeque<u32>>::new());
    for number in 0..20_000 {
        if random(3) == 0 {
            if let Some((_, text)) = queue.pop() {
                let (topic, number) = text.split_once(':').unwrap();
                assert_eq!(model.get_mut(topic).unwrap().pop_front(), Some(number.parse().unwrap()), "{topic}");
            }
            continue;
        }
        let (topic, delivery, capacity) =
            [("r", Delivery::Reliable, usize::MAX), ("l", Delivery::Latest, 1), ("d", Delivery::DropOldest(7), 7)]
                [random(3) as usize];
        let message = format!("{topic}:{number}");
        assert_ne!(queue.put(topic, 0, delivery, message, usize::MAX), Pushed::Overflow);
        let waiting = model.entry(topic).or_default();
        waiting.push_back(number);
        if waiting.len() > capacity {
            waiting.pop_front();
        }
        let queued: usize = queue.iter().map(String::len).sum();
        assert_eq!((queue.cost(), queue.len()), (queued, queue.iter().count()));
    }
}

/// Against the same limits, with keys: everything that is kept for the queue itself follows what waits.
#[test]
fn keeps_to_its_limit_and_little_beside_under_random_use() {
    let mut seed = 5_u32;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) % below
    };
    let mut queue = Queue::<String>::default();
    let mut last = HashMap::<(u64, u32), u32>::new();
    for number in 0..50_000 {
        if random(5) == 0 {
            if let Some((lane, text)) = queue.pop() {
                let mut parts = text.split(':').map(|part| part.parse().unwrap());
                let (key, number) = (parts.next().unwrap(), parts.next().unwrap());
                let before = last.insert((lane.map_or(0, |lane| lane.1 + 1), key), number);
                assert!(before.is_none_or(|before| before < number), "in order");
            }
        } else {
            let key = 1 + random(40);
            let delivery = [Delivery::Reliable, Delivery::Latest, Delivery::DropOldest(5)][random(3) as usize];
            let length = if random(50) == 0 { 400 } else { random(10) as usize };
            queue.put("t", key.into(), delivery, format!("{key}:{number}:{}", "0".repeat(length + 1)), 500);
        }
        assert!(queue.reliable_cost <= 500 || queue.reliable.len() == 1);
        assert!(queue.lossy_cost <= 500 || queue.lossy_messages == 1);
        assert!(queue.order.len() <= 2 * queue.len() + SPARE + 1, "{} places of {}", queue.order.len(), queue.len());
        assert_eq!(queue.indices.len() + queue.free.len(), queue.lossy.len());
        let costs: usize = queue.iter().map(String::len).sum();
        assert_eq!(queue.cost(), costs);
    }
}
