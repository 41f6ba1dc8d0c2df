//! The bounded queue of one subscriber: the session's task fills it, the program empties it.
//!
//! Pushing never waits: a slow subscriber must not delay the replies behind its events. Its [`Buffer`] is the policy for
//! an overflow.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;

use super::{Buffer, Continuity, Error, Overflow};
use crate::CallError;
use wslink_core::wire::Body;

pub(super) struct Queue {
    state: Mutex<State>,
    ready: AtomicWaker,
    buffer: Buffer,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    payloads: usize,
    bytes: usize,
    skipped: u64,
    /// Nothing more is taken in.
    ended: bool,
}

/// What the subscriber is told next.
#[derive(Debug)]
pub(super) enum Item {
    Payload(Body),
    /// The payload could not be sent.
    Unsendable(CallError),
    Reconnected(Continuity),
    Skipped(u64),
    Failed(Error),
}

impl Queue {
    pub(super) fn new(buffer: Buffer) -> Self {
        Self { state: Mutex::default(), ready: AtomicWaker::new(), buffer }
    }

    /// Adds a payload.
    pub(super) fn push(&self, payload: Body) {
        self.notify(Item::Payload(payload));
    }

    /// Adds what the subscriber is to be told.
    pub(super) fn notify(&self, item: Item) {
        let mut state = self.lock();
        if !state.ended {
            state.add(item, &self.buffer);
        }
        drop(state);
        self.ready.wake();
    }

    /// Nothing comes any more, for the reason given, if any.
    pub(super) fn end(&self, why: Option<Error>) {
        let mut state = self.lock();
        if !std::mem::replace(&mut state.ended, true) {
            state.items.extend(why.map(Item::Failed));
        }
        drop(state);
        self.ready.wake();
    }

    /// The next item; `None` at the end.
    pub(super) fn poll_pop(&self, cx: &Context<'_>) -> Poll<Option<Item>> {
        self.ready.register(cx.waker());
        let mut state = self.lock();
        match state.pop() {
            Some(item) => Poll::Ready(Some(item)),
            None if state.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    /// A panic cannot happen between two changes that belong together, so poisoning means nothing.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Item {
    /// The bytes of what was published, which takes room; nothing else does.
    fn room(&self) -> Option<usize> {
        match self {
            Self::Payload(payload) => Some(payload.size()),
            Self::Unsendable(error) => Some(error.message().len()),
            Self::Reconnected(_) | Self::Skipped(_) | Self::Failed(_) => None,
        }
    }
}

impl State {
    fn add(&mut self, item: Item, buffer: &Buffer) {
        if let Some(len) = item.room() {
            while self.payloads > 0 && (self.payloads >= buffer.payloads || self.bytes + len > buffer.bytes) {
                if buffer.overflow == Overflow::Fail {
                    self.items.push_back(Item::Failed(Error::Lagged));
                    self.ended = true;
                    return;
                }
                self.drop_oldest();
            }
            self.payloads += 1;
            self.bytes += len;
        }
        self.items.push_back(item);
    }

    fn drop_oldest(&mut self) {
        let oldest = self.items.iter().position(|item| item.room().is_some());
        let len = oldest.and_then(|at| self.items.remove(at)?.room());
        self.payloads -= 1;
        self.bytes -= len.unwrap_or(0);
        self.skipped += 1;
    }

    /// What was dropped was before everything that is left.
    fn pop(&mut self) -> Option<Item> {
        if self.skipped > 0 {
            return Some(Item::Skipped(std::mem::take(&mut self.skipped)));
        }
        let item = self.items.pop_front()?;
        if let Some(len) = item.room() {
            self.payloads -= 1;
            self.bytes -= len;
        }
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use wslink_core::wire::{FrameKind, V1};

    fn payload(text: &str) -> Body {
        let message = format!(r#"{{"id":"publish:t:0","result":"{text}"}}"#);
        let mut decoder = V1.decoder(&crate::Limits::default());
        let mut incoming = decoder.blank();
        decoder.decode(FrameKind::Text, message.into(), &mut incoming).unwrap().unwrap();
        incoming.body(incoming.content.unwrap().span().unwrap())
    }

    fn fill(buffer: Buffer, texts: &[&str]) -> Queue {
        let queue = Queue::new(buffer);
        texts.iter().for_each(|text| queue.push(payload(text)));
        queue
    }

    fn drain(queue: &Queue) -> Vec<String> {
        let mut taken = Vec::new();
        loop {
            taken.push(match queue.poll_pop(&Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(Item::Payload(body))) => body.decode().unwrap(),
                Poll::Ready(Some(item)) => format!("{item:?}"),
                Poll::Ready(None) => "end".to_owned(),
                Poll::Pending => return taken,
            });
            if taken.last().is_some_and(|last| last == "end") {
                return taken;
            }
        }
    }

    #[test]
    fn the_newest_stay_and_what_was_dropped_is_counted() {
        let queue = fill(Buffer::new(2, Overflow::DropOldest), &["a", "b"]);
        queue.notify(Item::Reconnected(Continuity::Fresh));
        ["c", "d", "e"].iter().for_each(|text| queue.push(payload(text)));
        assert_eq!(drain(&queue), ["Skipped(3)", "Reconnected(Fresh)", "d", "e"]);
        queue.push(payload("f"));
        assert_eq!(drain(&queue), ["f"]);
        assert_eq!(queue.lock().bytes, 0);
        assert_eq!(drain(&fill(Buffer::latest(), &["a", "b"])), ["Skipped(1)", "b"]);
    }

    #[test]
    fn who_must_not_lose_anything_is_told_when_it_would() {
        let queue = fill(Buffer::new(2, Overflow::Fail), &["a", "b", "c", "d"]);
        queue.end(Some(Error::Closed));
        assert_eq!(drain(&queue), ["a", "b", "Failed(Lagged)", "end"]);
    }

    #[test]
    fn bytes_are_bounded_but_one_payload_always_has_room() {
        let size = payload("a").size();
        let queue = fill(Buffer::new(100, Overflow::DropOldest).bytes(2 * size), &["a", "b", "c"]);
        assert_eq!(drain(&queue), ["Skipped(1)", "b", "c"]);
        assert_eq!(drain(&fill(Buffer::default().bytes(0), &["a"])), ["a"]);
    }

    #[test]
    fn what_could_not_be_sent_takes_room_as_a_payload_does() {
        let queue = fill(Buffer::new(2, Overflow::DropOldest), &["a"]);
        let failed = || Item::Unsendable(CallError::new(crate::ErrorCode::ResultSerialize, "no"));
        (0..4).for_each(|_| queue.notify(failed()));
        queue.push(payload("b"));
        assert_eq!(drain(&queue), ["Skipped(4)".to_owned(), format!("{:?}", failed()), "b".to_owned()]);
        let state = queue.lock();
        assert_eq!((state.payloads, state.bytes), (0, 0));
    }

    #[test]
    fn the_end_comes_after_what_waited() {
        let queue = fill(Buffer::default(), &["a"]);
        queue.end(None);
        queue.push(payload("b"));
        assert_eq!(drain(&queue), ["a", "end"]);
    }
}
