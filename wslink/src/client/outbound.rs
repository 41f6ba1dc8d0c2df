//! The order in which a client sends: calls as they were made, and between the chunks of a large one
//! what must not wait for it.

use std::collections::{HashSet, VecDeque};

use wslink_core::wire::{Encoded, Frame};

#[derive(Default)]
pub(super) struct Outbound {
    /// Cancellations and subscriptions, which never wait behind data.
    control: VecDeque<Encoded>,
    /// The first may be partly sent.
    calls: VecDeque<Sending>,
}

struct Sending {
    id: u64,
    message: Encoded,
    sent: usize,
    /// To be sent after this and before the next call.
    then: Option<Encoded>,
}

impl Outbound {
    pub(super) fn control(&mut self, message: Encoded) {
        self.control.push_back(message);
    }

    pub(super) fn call(&mut self, id: u64, message: Encoded) {
        self.calls.push_back(Sending { id, message, sent: 0, then: None });
    }

    /// Takes back the call `id` if nothing of it was sent, and otherwise sends `cancellation`, not
    /// before the server knows the call.
    pub(super) fn cancel(&mut self, id: u64, cancellation: Option<Encoded>) {
        match self.calls.iter().position(|call| call.id == id) {
            Some(at) if self.calls[at].sent == 0 => {
                self.calls.remove(at);
            }
            Some(at) => self.calls[at].then = cancellation,
            None => self.control.extend(cancellation),
        }
    }

    /// The calls of which the server has not got everything.
    pub(super) fn unsent(&self) -> HashSet<u64> {
        self.calls.iter().map(|call| call.id).collect()
    }

    /// The next frame to send.
    pub(super) fn next(&mut self) -> Option<Frame> {
        let between = self.calls.front().is_none_or(|call| call.sent == 0 || call.message.is_divisible());
        if between && let Some(message) = self.control.pop_front() {
            // What is larger than a frame goes before the next call.
            let [frame] = message.frames() else {
                self.calls.push_front(Sending { id: 0, message, sent: 0, then: None });
                return self.next_of_calls();
            };
            return Some(frame.clone());
        }
        self.next_of_calls()
    }

    fn next_of_calls(&mut self) -> Option<Frame> {
        let call = self.calls.front_mut()?;
        let frame = call.message.frames().get(call.sent).cloned();
        call.sent += 1;
        if call.sent >= call.message.frames().len()
            && let Some(done) = self.calls.pop_front()
        {
            self.control.extend(done.then);
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wslink_core::wire::FrameKind;

    fn frames(names: &[&'static str]) -> Vec<Frame> {
        names.iter().map(|name| Frame::new(FrameKind::Binary, *name)).collect()
    }

    fn one(name: &'static str) -> Encoded {
        Encoded::one(frames(&[name]).remove(0))
    }

    fn take(outbound: &mut Outbound, count: usize) -> Vec<String> {
        let next = || outbound.next().map(|frame| String::from_utf8(frame.head.to_vec()).unwrap());
        std::iter::from_fn(next).take(count).collect()
    }

    #[test]
    fn control_goes_between_chunks_and_calls_keep_their_order() {
        let mut outbound = Outbound::default();
        outbound.call(1, Encoded::divisible(frames(&["a1", "a2"])));
        outbound.call(2, Encoded::indivisible(frames(&["b1", "b2"])));
        assert_eq!(take(&mut outbound, 1), ["a1"]);
        outbound.control(one("c"));
        assert_eq!(take(&mut outbound, 3), ["c", "a2", "b1"]);
        outbound.control(one("d"));
        assert_eq!(outbound.unsent(), HashSet::from([2]));
        assert_eq!(take(&mut outbound, 9), ["b2", "d"]);
        assert!(outbound.unsent().is_empty());
    }

    #[test]
    fn a_call_is_taken_back_or_cancelled_once_the_server_knows_it() {
        let mut outbound = Outbound::default();
        outbound.call(1, Encoded::divisible(frames(&["a1", "a2"])));
        outbound.call(2, one("b"));
        assert_eq!(take(&mut outbound, 1), ["a1"]);
        outbound.cancel(1, Some(one("cancel a")));
        outbound.cancel(2, Some(one("cancel b")));
        outbound.cancel(3, Some(one("cancel c")));
        assert_eq!(take(&mut outbound, 9), ["cancel c", "a2", "cancel a"]);
    }
}
