//! Pacing, overflow, memory and progress of one outbox.

use super::*;
use crate::wire::{Frame, FrameKind};

fn message(text: &'static str) -> Encoded {
    Encoded::one(Frame::new(FrameKind::Text, text))
}

#[test]
fn a_pacing_publisher_waits_until_the_events_are_taken() {
    let outbox = Outbox::new(PACE * 4);
    let mut cx = Context::from_waker(Waker::noop());
    outbox.push_reliable(0, Encoded::one(Frame::new(FrameKind::Binary, vec![0; PACE / 2])));
    assert!(outbox.poll_ready(&mut cx).is_ready());
    outbox.push_reliable(0, Encoded::one(Frame::new(FrameKind::Binary, vec![0; PACE])));
    assert!(outbox.poll_ready(&mut cx).is_pending() && outbox.poll_ready(&mut cx).is_pending());
    assert!(!outbox.lock().pacing.is_empty());
    while outbox.pop().unwrap().is_some() {}
    assert!(outbox.lock().pacing.is_empty() && outbox.poll_ready(&mut cx).is_ready());
}

#[test]
fn an_overflow_is_final_and_holds_nothing() {
    let outbox = Outbox::new(3);
    outbox.push(0, "t", 0, Delivery::Reliable, message("ab"));
    outbox.push(0, "t", 0, Delivery::Reliable, message("cd"));
    assert_eq!(outbox.pop().unwrap_err(), Ended::Overflow);
    outbox.push(0, "t", 0, Delivery::Latest, message("x"));
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn an_outbox_is_active_while_something_waits_and_once_it_has_ended() {
    let outbox = Outbox::new(1000);
    assert!(!outbox.is_active());
    for event in ["a", "b"] {
        outbox.push(0, "t", 0, Delivery::Reliable, message(event));
    }
    assert_eq!(outbox.next_after_reply(), Ok(Some(1)));
    assert!(outbox.pop().unwrap().is_some() && outbox.is_active());
    assert!(outbox.pop().unwrap().is_some() && !outbox.is_active());
    assert_eq!(outbox.next_after_reply(), Ok(None));
    outbox.close(&mut Discarded::default());
    assert!(outbox.is_active());
    assert_eq!((outbox.next_after_reply(), outbox.pop().unwrap_err()), (Err(Ended::Left), Ended::Left));
}

/// A queue of small events needs many times their bytes.
#[test]
fn many_small_events_do_not_need_more_memory_than_the_limit() {
    for (number, delivery) in [(1, Delivery::Reliable), (2, Delivery::DropOldest(usize::MAX))] {
        let outbox = Outbox::new(1 << 20);
        let mut held = 0;
        while outbox.lock().ended.is_none() && outbox.dropped() == 0 {
            held = outbox.lock().events.len();
            outbox.push(number, "t", 0, delivery, message("an event of not more than forty-six bytes"));
        }
        assert!(held * (size_of::<Event>() + 41) < 1 << 20, "{held} events");
        assert!(held > 4000, "{held} events");
    }
}

#[test]
fn only_the_newest_progress_of_each_call_waits() {
    let outbox = Outbox::new(100);
    let taken = || outbox.take_progress().iter().map(|message| message.frames()[0].head.clone()).collect::<Vec<_>>();
    outbox.open_progress(1);
    outbox.open_progress(2);
    outbox.push_progress(1, message("a"));
    outbox.push_progress(2, message("b"));
    outbox.push_progress(1, message("c"));
    assert_eq!(taken(), ["c", "b"]);
    outbox.push_progress(1, message("d"));
    outbox.close_progress(1);
    outbox.push_progress(1, message("too late"));
    assert_eq!(taken(), ["d"]);
    assert!(taken().is_empty());
}
