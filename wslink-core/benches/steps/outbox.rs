//! Events put into the outbox of one client and taken out again, by every policy.

use std::hint::black_box;

use super::{Run, Step, sample};
use wslink_core::{Delivery, Limits, topic::Outbox};

/// How many events are put in before any is taken out.
const EVENTS: usize = 16;

pub(super) const STEPS: &[Step] = &[
    Step::new("reliable", || put_and_take(Delivery::Reliable, |_| 0, EVENTS)).items(EVENTS),
    Step::new("latest", || put_and_take(Delivery::Latest, |_| 0, 1)).items(EVENTS),
    Step::new("latest of 4 keys", || put_and_take(Delivery::Latest, |event| event % 4 + 1, 4)).items(EVENTS),
    Step::new("drop_oldest", || put_and_take(Delivery::DropOldest(4), |_| 0, 4)).items(EVENTS),
];

/// Of [`EVENTS`], only `left` are still there when they are taken.
fn put_and_take(delivery: Delivery, key: fn(u64) -> u64, left: usize) -> Run {
    let outbox = Outbox::new(Limits::default().outbox_bytes);
    let message = sample::small_message();
    Box::new(move || {
        for event in 0..EVENTS as u64 {
            outbox.push(1, "a.topic", key(event), delivery, message.clone());
        }
        let mut taken = 0;
        while let Some(event) = outbox.pop().unwrap() {
            black_box(event);
            taken += 1;
        }
        assert_eq!(taken, left);
    })
}
