//! Replies and events of one connection, taken frame by frame in the order in which they are sent.

use std::{hint::black_box, sync::Arc};

use super::{
    Run, Step,
    sample::{self, MIB},
};
use wslink_core::{Delivery, Limits, session::SendQueue, topic::Outbox, wire::Encoded};

/// Frames of what is large.
const CHUNKS: usize = 8;

/// Small replies, no more than there are chunks to go between.
const REPLIES: usize = 8;

pub(super) const STEPS: &[Step] = &[
    Step::new("small replies, each sent at once", pass).items(REPLIES),
    Step::new("small replies", || take(0, REPLIES)).items(REPLIES),
    Step::new("event of 1 MiB", || take(CHUNKS, 0)).items(CHUNKS),
    Step::new("small replies between the chunks of an event of 1 MiB", || take(CHUNKS, REPLIES)).items(CHUNKS + REPLIES),
];

fn pass() -> Run {
    let (_, mut queue) = connection();
    let reply = sample::small_message();
    Box::new(move || {
        for _ in 0..REPLIES {
            black_box({
                queue.reply(reply.clone());
                queue.next_frame().unwrap().unwrap()
            });
        }
        assert!(queue.next_frame().unwrap().is_none());
    })
}

/// An event of so many chunks; after each of them, if any, a reply.
fn take(chunks: usize, replies: usize) -> Run {
    let (outbox, mut queue) = connection();
    let event = Encoded::divisible(vec![sample::chunk(MIB / CHUNKS); chunks]);
    let reply = sample::small_message();
    Box::new(move || {
        let mut taken = 0;
        let mut next = |queue: &mut SendQueue| {
            let frame = black_box(queue.next_frame().unwrap());
            taken += usize::from(frame.is_some());
            frame.is_some()
        };
        if chunks > 0 {
            outbox.push(1, "a.topic", 0, Delivery::Reliable, event.clone());
        }
        for _ in 0..replies {
            next(&mut queue);
            queue.reply(reply.clone());
        }
        while next(&mut queue) {}
        assert_eq!(taken, chunks + replies);
    })
}

fn connection() -> (Arc<Outbox>, SendQueue) {
    let outbox = Arc::new(Outbox::new(Limits::default().outbox_bytes));
    (Arc::clone(&outbox), SendQueue::new(Some(outbox)))
}
