//! The order in which a session sends: small messages first, then large ones, then events.
//!
//! A small message goes between the chunks of anything large. After [`TURN`] bytes have overtaken a queue, one frame of
//! that queue goes first, so that a client that keeps calling still gets its events; an event never overtakes the reply
//! of the call that published it.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    topic::{Ended, Outbox},
    wire::{Encoded, Frame},
};

/// After so many bytes of messages that go first, one frame of what waits behind them is sent.
const TURN: usize = 256 * 1024;

/// The frames that wait to be sent, in order.
pub struct SendQueue {
    /// Messages of a single frame, each with the number of its reply.
    small: VecDeque<(u64, Frame)>,
    /// Bytes of small messages since a large one was served, and of messages since an event was.
    passed_large: usize,
    passed_events: usize,
    /// The number of the last reply.
    last: u64,
    /// The others, and requests of ours; the first may be partly sent.
    large: VecDeque<Sending>,
    /// The event that is partly sent. In a box, since it is of several frames.
    event: Option<Box<Sending>>,
    /// The queue whose message must be sent to its end before anything else.
    indivisible: Option<Plane>,
    /// A large report of progress waits, so that no reply may overtake the large messages.
    keeps_order: bool,
    outbox: Option<Arc<Outbox>>,
    /// Once the server stops: events that were queued by then and are still to be sent.
    last_events: Option<usize>,
    bytes: usize,
}

#[derive(Clone, Copy)]
enum Plane {
    Large,
    Event,
}

struct Sending {
    /// Of a reply; 0 for an event.
    number: u64,
    message: Encoded,
    sent: usize,
    /// Our request that it is.
    request: Option<u64>,
    /// To be sent after it and before the next request.
    then: Option<Encoded>,
}

impl Sending {
    const fn new(number: u64, message: Encoded) -> Self {
        Self { number, message, sent: 0, request: None, then: None }
    }

    fn next(&mut self) -> Option<Frame> {
        let frame = self.message.frames().get(self.sent).cloned();
        self.sent += 1;
        frame
    }

    fn rest(&self) -> &[Frame] {
        self.message.frames().get(self.sent..).unwrap_or_default()
    }

    fn is_done(&self) -> bool {
        self.sent >= self.message.frames().len()
    }
}

impl SendQueue {
    /// An empty queue, of an end that publishes to its peer where it has an `outbox`.
    #[must_use]
    pub const fn new(outbox: Option<Arc<Outbox>>) -> Self {
        Self {
            small: VecDeque::new(),
            passed_large: 0,
            passed_events: 0,
            last: 0,
            large: VecDeque::new(),
            event: None,
            indivisible: None,
            keeps_order: false,
            outbox,
            last_events: None,
            bytes: 0,
        }
    }

    /// Adds a reply.
    #[inline]
    pub fn reply(&mut self, message: Encoded) {
        self.take_progress();
        self.last += 1;
        self.add(self.last, message);
        if let Some(outbox) = &self.outbox {
            outbox.replied(self.last);
        }
    }

    /// Adds a message that waits for nothing that is large.
    pub fn urgent(&mut self, message: Encoded) {
        self.bytes += message.len();
        match message.into_frame() {
            Ok(frame) => self.small.push_back((self.last, frame)),
            // A message of several frames goes before the next request.
            Err(message) => {
                let at = usize::from(self.large.front().is_some_and(|first| first.sent > 0));
                self.large.insert(at, Sending::new(self.last, message));
            }
        }
    }

    /// Adds our request of this number, behind the requests before it.
    pub fn request(&mut self, number: u64, message: Encoded) {
        self.bytes += message.len();
        self.large.push_back(Sending { request: Some(number), ..Sending::new(self.last, message) });
    }

    /// Takes request `number` back if nothing of it was sent; otherwise sends `cancellation`, not before the peer knows
    /// the request.
    pub fn cancel_request(&mut self, number: u64, cancellation: Option<Encoded>) {
        match self.large.iter().position(|sending| sending.request == Some(number)) {
            Some(at) if self.large[at].sent == 0 => {
                let taken = self.large.remove(at);
                self.bytes -= taken.map_or(0, |taken| taken.message.len());
            }
            Some(at) => self.large[at].then = cancellation,
            None => cancellation.into_iter().for_each(|cancellation| self.urgent(cancellation)),
        }
    }

    /// The requests that were not handed out to their end.
    pub fn unsent_requests(&self) -> impl Iterator<Item = u64> {
        self.large.iter().filter_map(|sending| sending.request)
    }

    /// Bytes of messages that overtook the others.
    const fn passed(&mut self, bytes: usize) {
        self.passed_large += bytes;
        self.passed_events += bytes;
    }

    /// A report of progress must not come after the reply of its call.
    #[inline]
    fn take_progress(&mut self) {
        if self.outbox.as_ref().is_some_and(|outbox| outbox.has_progress()) {
            self.add_progress();
        }
    }

    fn add_progress(&mut self) {
        let Some(outbox) = &self.outbox else { return };
        for report in outbox.take_progress() {
            self.keeps_order |= report.frames().len() > 1;
            // No reply itself, but an event that waits for the next reply waits for it, too.
            self.add(self.last + 1, report);
        }
    }

    fn add(&mut self, number: u64, message: Encoded) {
        self.bytes += message.len();
        match message.into_frame() {
            Ok(frame) if !self.keeps_order => self.small.push_back((number, frame)),
            Ok(frame) => self.large.push_back(Sending::new(number, Encoded::one(frame))),
            Err(message) if message.frames().is_empty() => {}
            Err(message) => self.large.push_back(Sending::new(number, message)),
        }
    }

    /// Bytes of messages that were not handed out yet, without those of events.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of messages that wait behind the first large one.
    #[must_use]
    pub fn bytes_behind_first(&self) -> usize {
        let first = self.large.front().map_or(0, |large| large.rest().iter().map(Frame::len).sum());
        self.bytes - first
    }

    /// Bytes of messages and events that were not handed out yet.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        let event = self.event.as_ref().map_or(0, |event| event.rest().iter().map(Frame::len).sum());
        self.bytes + event + self.outbox.as_ref().map_or(0, |outbox| outbox.bytes())
    }

    /// From now on only the events that are queued already are sent.
    pub fn finish_events(&mut self) {
        // One that has ended is looked at once more, to say so.
        let waiting = |outbox: &Arc<Outbox>| outbox.len() + usize::from(outbox.has_ended());
        self.last_events = Some(self.outbox.as_ref().map_or(0, waiting));
    }

    /// Whether nothing is left of the messages, nor of the events that are still to be sent.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let is_last = self.last_events.is_none_or(|left| left == 0);
        // An outbox that has ended is empty, but its events are lost.
        let events = self.outbox.as_ref().is_none_or(|outbox| is_last || (outbox.is_empty() && !outbox.has_ended()));
        self.small.is_empty() && self.large.is_empty() && self.event.is_none() && events
    }

    /// The next frame to send.
    ///
    /// # Errors
    /// The outbox has ended.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Ended> {
        match self.indivisible {
            Some(Plane::Large) => return Ok(self.next_large()),
            Some(Plane::Event) => return self.next_event(),
            None => {}
        }
        self.take_progress();
        if self.passed_events >= TURN && self.may_send_event()? {
            self.passed_events = 0;
            if let Some(frame) = self.next_event()? {
                return Ok(Some(frame));
            }
        }
        if self.passed_large >= TURN {
            self.passed_large = 0;
            if let Some(frame) = self.next_large() {
                return Ok(Some(frame));
            }
        }
        if let Some((_, frame)) = self.small.pop_front() {
            self.bytes -= frame.len();
            self.passed(frame.len());
            return Ok(Some(frame));
        }
        match self.next_large() {
            Some(frame) => Ok(Some(frame)),
            None => self.next_event(),
        }
    }

    fn pop_event(&mut self) -> Result<Option<Encoded>, Ended> {
        let Some(outbox) = &self.outbox else { return Ok(None) };
        match &mut self.last_events {
            Some(0) => return Ok(None),
            Some(left) => *left -= 1,
            None => {}
        }
        outbox.pop()
    }

    /// Whether every reply that must come before the next event is sent.
    fn may_send_event(&self) -> Result<bool, Ended> {
        let Some(outbox) = self.outbox.as_ref().filter(|_| self.event.is_none()) else { return Ok(true) };
        let small = self.small.front().map(|(number, _)| *number);
        let large = self.large.front().map(|large| large.number);
        let Some(reply) = small.into_iter().chain(large).min() else { return Ok(true) };
        Ok(outbox.next_after_reply()?.is_none_or(|number| number < reply))
    }

    fn next_large(&mut self) -> Option<Frame> {
        let sending = self.large.front_mut()?;
        let frame = sending.next()?;
        self.bytes -= frame.len();
        self.passed_events += frame.len();
        self.indivisible = (!sending.message.is_divisible()).then_some(Plane::Large);
        if sending.is_done() {
            self.indivisible = None;
            let done = self.large.pop_front();
            self.keeps_order &= !self.large.is_empty();
            done.and_then(|done| done.then).into_iter().for_each(|then| self.urgent(then));
        }
        Some(frame)
    }

    #[inline]
    fn next_event(&mut self) -> Result<Option<Frame>, Ended> {
        let is_idle =
            self.event.is_none() && self.last_events.is_none() && !self.outbox.as_ref().is_some_and(|outbox| outbox.is_active());
        if is_idle { Ok(None) } else { self.begin_or_continue_event() }
    }

    fn begin_or_continue_event(&mut self) -> Result<Option<Frame>, Ended> {
        if self.event.is_none() {
            let Some(event) = self.pop_event()?.map(Encoded::into_frame) else { return Ok(None) };
            match event {
                Ok(frame) => return Ok(Some(frame)),
                Err(message) => self.event = Some(Box::new(Sending::new(0, message))),
            }
        }
        let Some(sending) = &mut self.event else { return Ok(None) };
        let frame = sending.next();
        self.indivisible = (!sending.message.is_divisible()).then_some(Plane::Event);
        if sending.is_done() {
            self.indivisible = None;
            self.event = None;
        }
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{topic::Delivery, wire::FrameKind};

    fn frames(names: &[&'static str]) -> Vec<Frame> {
        names.iter().map(|name| Frame::new(FrameKind::Binary, *name)).collect()
    }

    fn take(queue: &mut SendQueue, count: usize) -> Vec<String> {
        let next = || queue.next_frame().unwrap().map(|frame| String::from_utf8(frame.head.to_vec()).unwrap());
        std::iter::from_fn(next).take(count).collect()
    }

    #[test]
    fn replies_go_between_the_chunks_of_events_and_of_large_replies() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut queue = SendQueue::new(Some(Arc::clone(&outbox)));
        outbox.push(0, "t", 0, Delivery::Reliable, Encoded::divisible(frames(&["e1", "e2", "e3"])));
        assert_eq!(take(&mut queue, 1), ["e1"]);
        queue.reply(Encoded::divisible(frames(&["l1", "l2"])));
        assert_eq!(take(&mut queue, 1), ["l1"]);
        queue.reply(Encoded::one(frames(&["s"]).remove(0)));
        assert_eq!(take(&mut queue, 9), ["s", "l2", "e2", "e3"]);
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn who_keeps_calling_still_gets_events_and_large_replies() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut queue = SendQueue::new(Some(Arc::clone(&outbox)));
        let big = || Encoded::one(Frame::new(FrameKind::Binary, vec![b's'; TURN]));
        queue.reply(Encoded::divisible(frames(&["l1", "l2"])));
        queue.reply(big());
        // Published by a call whose reply is the next one.
        outbox.push(0, "t", 0, Delivery::Reliable, Encoded::one(frames(&["e"]).remove(0)));
        (0..5).for_each(|_| queue.reply(big()));
        let order: Vec<_> = take(&mut queue, 20).into_iter().map(|text| text[..1.min(text.len())].to_owned()).collect();
        let event = order.iter().position(|frame| frame == "e").unwrap();
        let replies_before = order[..event].iter().filter(|frame| *frame == "s").count();
        assert!(replies_before >= 2 && event < order.len() - 1, "{order:?}");
        assert!(order.iter().position(|frame| frame == "l").unwrap() < 4, "{order:?}");
    }

    #[test]
    fn nothing_goes_between_the_frames_of_an_indivisible_message() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut queue = SendQueue::new(Some(Arc::clone(&outbox)));
        outbox.push(0, "t", 0, Delivery::Reliable, Encoded::indivisible(frames(&["e1", "e2"])));
        assert_eq!(take(&mut queue, 1), ["e1"]);
        queue.reply(Encoded::one(frames(&["s"]).remove(0)));
        queue.reply(Encoded::indivisible(frames(&["l1", "l2"])));
        assert_eq!(take(&mut queue, 3), ["e2", "s", "l1"]);
        queue.reply(Encoded::one(frames(&["t"]).remove(0)));
        assert_eq!(take(&mut queue, 9), ["l2", "t"]);
    }

    #[test]
    fn an_event_that_is_replaced_over_and_over_still_has_its_turn() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut queue = SendQueue::new(Some(Arc::clone(&outbox)));
        let big = || Encoded::one(Frame::new(FrameKind::Binary, vec![b's'; TURN / 2]));
        (0..4).for_each(|_| queue.reply(big()));
        let mut order = Vec::new();
        for _ in 0..20 {
            // Each call publishes, and is answered before the last replies are out.
            outbox.push(0, "t", 0, Delivery::Latest, Encoded::one(frames(&["e"]).remove(0)));
            queue.reply(big());
            order.extend(take(&mut queue, 1).into_iter().map(|frame| frame.len()));
        }
        assert!(order.iter().filter(|len| **len == 1).count() > 1, "{order:?}");
    }

    #[test]
    fn what_is_reported_before_a_reply_lets_no_event_overtake_it() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut queue = SendQueue::new(Some(Arc::clone(&outbox)));
        let one = |name| Encoded::one(frames(&[name]).remove(0));
        outbox.open_progress(1);
        for early in [true, false] {
            queue.reply(Encoded::one(Frame::new(FrameKind::Binary, vec![b's'; TURN])));
            let report = || outbox.push_progress(1, one("p"));
            early.then(report);
            assert_eq!(take(&mut queue, 1)[0].len(), TURN);
            outbox.push(0, "t", 0, Delivery::Reliable, one("e"));
            (!early).then(report);
            queue.reply(one("r"));
            assert_eq!(take(&mut queue, 9), ["p", "r", "e"]);
        }
    }

    #[test]
    fn a_reply_goes_before_the_events_that_its_call_published() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut queue = SendQueue::new(Some(Arc::clone(&outbox)));
        outbox.push(0, "t", 0, Delivery::Reliable, Encoded::one(frames(&["e"]).remove(0)));
        queue.reply(Encoded::divisible(frames(&["r1", "r2"])));
        assert_eq!(take(&mut queue, 9), ["r1", "r2", "e"]);
    }

    #[test]
    fn an_urgent_message_goes_between_chunks_and_requests_keep_their_order() {
        let mut queue = SendQueue::new(None);
        queue.request(1, Encoded::divisible(frames(&["a1", "a2"])));
        queue.request(2, Encoded::indivisible(frames(&["b1", "b2"])));
        assert_eq!(take(&mut queue, 1), ["a1"]);
        queue.urgent(Encoded::one(frames(&["c"]).remove(0)));
        assert_eq!(take(&mut queue, 3), ["c", "a2", "b1"]);
        queue.urgent(Encoded::one(frames(&["d"]).remove(0)));
        assert_eq!(queue.unsent_requests().collect::<Vec<_>>(), [2]);
        assert_eq!(take(&mut queue, 9), ["b2", "d"]);
        assert_eq!((queue.unsent_requests().count(), queue.bytes()), (0, 0));
    }

    #[test]
    fn a_request_is_taken_back_or_cancelled_once_the_peer_knows_it() {
        let mut queue = SendQueue::new(None);
        let one = |name| Encoded::one(frames(&[name]).remove(0));
        queue.request(1, Encoded::divisible(frames(&["a1", "a2"])));
        queue.request(2, one("b"));
        assert_eq!(take(&mut queue, 1), ["a1"]);
        queue.cancel_request(1, Some(one("cancel a")));
        queue.cancel_request(2, Some(one("cancel b")));
        queue.cancel_request(3, Some(one("cancel c")));
        assert_eq!(take(&mut queue, 9), ["cancel c", "a2", "cancel a"]);
    }

    #[test]
    fn a_server_that_stops_sends_the_events_that_were_queued_by_then() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut queue = SendQueue::new(Some(Arc::clone(&outbox)));
        let publish = |name| outbox.push(0, "t", 0, Delivery::Reliable, Encoded::one(frames(&[name]).remove(0)));
        publish("e1");
        queue.finish_events();
        for _ in 0..3 {
            publish("later");
        }
        assert!(!queue.is_finished());
        assert_eq!(take(&mut queue, 9), ["e1"]);
        assert!(queue.is_finished());
    }

    #[test]
    fn a_server_that_stops_is_not_finished_when_events_are_lost() {
        for is_before in [true, false] {
            let outbox = Arc::new(Outbox::new(100));
            let mut queue = SendQueue::new(Some(Arc::clone(&outbox)));
            let publish = || outbox.push_reliable(0, Encoded::one(frames(&["event"]).remove(0)));
            publish();
            is_before.then(publish);
            queue.finish_events();
            publish();
            assert!(outbox.is_empty() && !queue.is_finished());
            assert_eq!(queue.next_frame(), Err(Ended::Overflow));
        }
    }
}
