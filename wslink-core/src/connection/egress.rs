//! The order in which a connection sends: small replies first, then large ones, then events.
//!
//! A small reply goes between the chunks of anything large. Who has waited for [`TURN`] bytes of what
//! goes first has a turn, so that a client that keeps calling still gets its events; an event never
//! overtakes the reply of the call that published it.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    topic::{Ended, Outbox},
    wire::{Encoded, Frame},
};

/// After so many bytes of replies, what waits behind them has a turn.
const TURN: usize = 256 * 1024;

pub struct Egress {
    /// Replies of a single frame, each with its number.
    small: VecDeque<(u64, Frame)>,
    /// Bytes of small replies since a large one had a turn, and of replies since an event had.
    passed_large: usize,
    passed_events: usize,
    /// The number of the last reply.
    last: u64,
    /// The others; the first may be partly sent.
    large: VecDeque<Sending>,
    /// The event that is partly sent, or whose turn has come: nothing newer takes its place.
    event: Option<Sending>,
    /// What must be sent to its end before anything else.
    indivisible: Option<Plane>,
    /// A large report of progress is waiting, so that no reply may overtake what is large.
    keeps_order: bool,
    outbox: Arc<Outbox>,
    reply_bytes: usize,
}

#[derive(Clone, Copy)]
enum Plane {
    Large,
    Event,
}

struct Sending {
    /// Of a reply; of an event, that of the reply before it.
    number: u64,
    message: Encoded,
    sent: usize,
}

impl Sending {
    const fn new(number: u64, message: Encoded) -> Self {
        Self { number, message, sent: 0 }
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

impl Egress {
    pub const fn new(outbox: Arc<Outbox>) -> Self {
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
            reply_bytes: 0,
        }
    }

    pub fn reply(&mut self, message: Encoded) {
        self.take_progress();
        self.last += 1;
        self.add(self.last, message);
        self.outbox.replied(self.last);
    }

    /// Takes a reply; gives its frame back when it may be sent at once, because nothing goes before it.
    #[inline]
    pub fn pass(&mut self, message: Encoded) -> Option<Frame> {
        let is_first = self.small.is_empty()
            && self.indivisible.is_none()
            && !self.keeps_order
            && !self.outbox.has_progress()
            && self.passed_large.max(self.passed_events) < TURN;
        let message = match message.into_frame() {
            Ok(frame) if is_first => {
                self.last += 1;
                self.passed(frame.len());
                self.outbox.replied(self.last);
                return Some(frame);
            }
            Ok(frame) => Encoded::one(frame),
            Err(message) => message,
        };
        self.reply(message);
        None
    }

    /// So many bytes of a small reply overtook whatever else waits.
    const fn passed(&mut self, bytes: usize) {
        self.passed_large += bytes;
        self.passed_events += bytes;
    }

    /// What was reported must not come after the reply of its call.
    fn take_progress(&mut self) {
        if !self.outbox.has_progress() {
            return;
        }
        for report in self.outbox.take_progress() {
            self.keeps_order |= report.frames().len() > 1;
            // No reply itself, but what waits for the next one waits for it, too.
            self.add(self.last + 1, report);
        }
    }

    fn add(&mut self, number: u64, message: Encoded) {
        self.reply_bytes += message.len();
        match message.into_frame() {
            Ok(frame) if !self.keeps_order => self.small.push_back((number, frame)),
            Ok(frame) => self.large.push_back(Sending::new(number, Encoded::one(frame))),
            Err(message) if message.frames().is_empty() => {}
            Err(message) => self.large.push_back(Sending::new(number, message)),
        }
    }

    /// Bytes of replies that were not handed out yet.
    pub const fn reply_bytes(&self) -> usize {
        self.reply_bytes
    }

    /// Bytes of replies that wait behind the first one.
    pub fn held_reply_bytes(&self) -> usize {
        let first = self.large.front().map_or(0, |large| large.rest().iter().map(Frame::len).sum());
        self.reply_bytes - first
    }

    /// Bytes of replies and events that were not handed out yet.
    pub fn waiting_bytes(&self) -> usize {
        let event = self.event.as_ref().map_or(0, |event| event.rest().iter().map(Frame::len).sum());
        self.reply_bytes + event + self.outbox.bytes()
    }

    /// Whether the next frame would be the first of another event.
    pub fn is_between_messages(&self) -> bool {
        self.small.is_empty() && self.large.is_empty() && self.event.as_ref().is_none_or(|event| event.sent == 0)
    }

    /// The next frame to send.
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
            self.reply_bytes -= frame.len();
            self.passed(frame.len());
            return Ok(Some(frame));
        }
        match self.next_large() {
            Some(frame) => Ok(Some(frame)),
            None => self.next_event(),
        }
    }

    /// Whether every reply that must come before the next event is sent. That event is taken from the outbox, where
    /// newer ones would take its place, each behind a later reply.
    fn may_send_event(&mut self) -> Result<bool, Ended> {
        if self.event.is_none() {
            self.event = self.outbox.pop()?.map(|(after, message)| Sending::new(after, message));
        }
        let small = self.small.front().map(|(number, _)| *number);
        let large = self.large.front().map(|large| large.number);
        Ok(match (small.into_iter().chain(large).min(), &self.event) {
            (Some(reply), Some(event)) => event.sent > 0 || event.number < reply,
            _ => true,
        })
    }

    fn next_large(&mut self) -> Option<Frame> {
        let sending = self.large.front_mut()?;
        let frame = sending.next()?;
        self.reply_bytes -= frame.len();
        self.passed_events += frame.len();
        self.indivisible = (!sending.message.is_divisible()).then_some(Plane::Large);
        if sending.is_done() {
            self.indivisible = None;
            self.large.pop_front();
            self.keeps_order &= !self.large.is_empty();
        }
        Some(frame)
    }

    fn next_event(&mut self) -> Result<Option<Frame>, Ended> {
        if self.event.is_none() {
            let Some((after, message)) = self.outbox.pop()? else { return Ok(None) };
            match message.into_frame() {
                Ok(frame) => return Ok(Some(frame)),
                Err(message) => self.event = Some(Sending::new(after, message)),
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

    fn take(egress: &mut Egress, count: usize) -> Vec<String> {
        let next = || egress.next_frame().unwrap().map(|frame| String::from_utf8(frame.head.to_vec()).unwrap());
        std::iter::from_fn(next).take(count).collect()
    }

    #[test]
    fn replies_go_between_the_chunks_of_events_and_of_large_replies() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut egress = Egress::new(Arc::clone(&outbox));
        outbox.push(0, "t", 0, Delivery::Reliable, Encoded::divisible(frames(&["e1", "e2", "e3"])));
        assert_eq!(take(&mut egress, 1), ["e1"]);
        egress.reply(Encoded::divisible(frames(&["l1", "l2"])));
        assert_eq!(take(&mut egress, 1), ["l1"]);
        egress.reply(Encoded::one(frames(&["s"]).remove(0)));
        assert_eq!(take(&mut egress, 9), ["s", "l2", "e2", "e3"]);
        assert_eq!(egress.reply_bytes(), 0);
    }

    #[test]
    fn who_keeps_calling_still_gets_events_and_large_replies() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut egress = Egress::new(Arc::clone(&outbox));
        let big = || Encoded::one(Frame::new(FrameKind::Binary, vec![b's'; TURN]));
        egress.reply(Encoded::divisible(frames(&["l1", "l2"])));
        egress.reply(big());
        // Published by a call whose reply is the next one.
        outbox.push(0, "t", 0, Delivery::Reliable, Encoded::one(frames(&["e"]).remove(0)));
        (0..5).for_each(|_| egress.reply(big()));
        let order: Vec<_> = take(&mut egress, 20).into_iter().map(|text| text[..1.min(text.len())].to_owned()).collect();
        let event = order.iter().position(|frame| frame == "e").unwrap();
        let replies_before = order[..event].iter().filter(|frame| *frame == "s").count();
        assert!(replies_before >= 2 && event < order.len() - 1, "{order:?}");
        assert!(order.iter().position(|frame| frame == "l").unwrap() < 4, "{order:?}");
    }

    #[test]
    fn nothing_goes_between_the_frames_of_an_indivisible_message() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut egress = Egress::new(Arc::clone(&outbox));
        outbox.push(0, "t", 0, Delivery::Reliable, Encoded::indivisible(frames(&["e1", "e2"])));
        assert_eq!(take(&mut egress, 1), ["e1"]);
        egress.reply(Encoded::one(frames(&["s"]).remove(0)));
        egress.reply(Encoded::indivisible(frames(&["l1", "l2"])));
        assert_eq!(take(&mut egress, 3), ["e2", "s", "l1"]);
        egress.reply(Encoded::one(frames(&["t"]).remove(0)));
        assert_eq!(take(&mut egress, 9), ["l2", "t"]);
    }

    #[test]
    fn an_event_that_is_replaced_over_and_over_still_has_its_turn() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut egress = Egress::new(Arc::clone(&outbox));
        let big = || Encoded::one(Frame::new(FrameKind::Binary, vec![b's'; TURN / 2]));
        (0..4).for_each(|_| egress.reply(big()));
        let mut order = Vec::new();
        for _ in 0..20 {
            // Each call publishes, and is answered before the last replies are out.
            outbox.push(0, "t", 0, Delivery::Latest, Encoded::one(frames(&["e"]).remove(0)));
            egress.reply(big());
            order.extend(take(&mut egress, 1).into_iter().map(|frame| frame.len()));
        }
        assert!(order.iter().filter(|len| **len == 1).count() > 1, "{order:?}");
    }

    #[test]
    fn what_is_reported_before_a_reply_lets_no_event_overtake_it() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut egress = Egress::new(Arc::clone(&outbox));
        let one = |name| Encoded::one(frames(&[name]).remove(0));
        outbox.open_progress(1);
        for early in [true, false] {
            egress.reply(Encoded::one(Frame::new(FrameKind::Binary, vec![b's'; TURN])));
            let report = || outbox.push_progress(1, one("p"));
            early.then(report);
            assert_eq!(take(&mut egress, 1)[0].len(), TURN);
            outbox.push(0, "t", 0, Delivery::Reliable, one("e"));
            (!early).then(report);
            egress.reply(one("r"));
            assert_eq!(take(&mut egress, 9), ["p", "r", "e"]);
        }
    }

    #[test]
    fn a_reply_goes_before_the_events_that_its_call_published() {
        let outbox = Arc::new(Outbox::new(1000));
        let mut egress = Egress::new(Arc::clone(&outbox));
        outbox.push(0, "t", 0, Delivery::Reliable, Encoded::one(frames(&["e"]).remove(0)));
        egress.reply(Encoded::divisible(frames(&["r1", "r2"])));
        assert_eq!(take(&mut egress, 9), ["r1", "r2", "e"]);
    }
}
