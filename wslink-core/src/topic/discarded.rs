//! Collects what must not be dropped or woken under a lock: the buffer of a payload, a principal's data and a waker
//! run code of the application, which may publish or take locks of its own.
//!
//! Every function that holds a lock of this module puts what it removes into a [`Discarded`] that its caller
//! declared before it took the lock, so that it is dropped after the lock.

use std::task::Waker;

use smallvec::SmallVec;

use crate::wire::Encoded;

#[derive(Default)]
pub(super) struct Discarded {
    messages: SmallVec<[Encoded; 2]>,
    wakers: SmallVec<[Waker; 8]>,
    /// Removed clients, outboxes and replay buffers.
    others: Vec<Box<dyn Send + Sync>>,
}

impl Discarded {
    pub(super) fn message(&mut self, message: Encoded) {
        self.messages.push(message);
    }

    /// To be woken.
    pub(super) fn waker(&mut self, waker: Option<Waker>) {
        self.wakers.extend(waker);
    }

    pub(super) fn wakers(&mut self, wakers: &mut Vec<Waker>) {
        self.wakers.extend(wakers.drain(..));
    }

    pub(super) fn other<T: Send + Sync + 'static>(&mut self, other: T) {
        self.others.push(Box::new(other));
    }
}

impl Drop for Discarded {
    fn drop(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}
