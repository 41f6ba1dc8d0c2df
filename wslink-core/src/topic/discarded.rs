//! Collects what must not be dropped or woken under a lock: the buffer of a payload, a principal's data and a waker
//! run code of the application, which may publish or take locks of its own.
//!
//! Every function that holds a lock of this module puts what it removes into a [`Discarded`] that its caller
//! declared before it took the lock, so that it is dropped after the lock.

use std::{cell::Cell, task::Waker};

use crate::wire::Encoded;

/// Mostly nothing, which costs next to nothing.
#[derive(Default)]
pub(super) struct Discarded(Option<Box<Lists>>);

#[derive(Default)]
struct Lists {
    messages: Vec<Encoded>,
    wakers: Vec<Waker>,
    /// Removed clients, outboxes and replay buffers.
    others: Vec<Box<dyn Send + Sync>>,
}

/// No more memory than for so many messages or wakers is kept for the next publication.
const SPARE: usize = 1024;

thread_local! {
    /// What this thread used last, so that a publication needs no memory for it.
    static LISTS: Cell<Option<Box<Lists>>> = const { Cell::new(None) };
}

impl Discarded {
    pub(super) fn message(&mut self, message: Encoded) {
        self.lists().messages.push(message);
    }

    /// To be woken.
    #[inline]
    pub(super) fn waker(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.lists().wakers.push(waker);
        }
    }

    pub(super) fn other<T: Send + Sync + 'static>(&mut self, other: T) {
        self.lists().others.push(Box::new(other));
    }

    fn lists(&mut self) -> &mut Lists {
        self.0.get_or_insert_with(|| LISTS.try_with(Cell::take).ok().flatten().unwrap_or_default())
    }
}

impl Drop for Discarded {
    #[inline]
    fn drop(&mut self) {
        if let Some(lists) = self.0.take() {
            lists.release();
        }
    }
}

impl Lists {
    /// Wakes and drops everything. What runs here may come here again.
    fn release(mut self: Box<Self>) {
        self.wakers.drain(..).for_each(Waker::wake);
        self.messages.clear();
        self.others.clear();
        if self.wakers.capacity() <= SPARE && self.messages.capacity() <= SPARE {
            let _ = LISTS.try_with(|spare| spare.set(Some(self)));
        }
    }
}
