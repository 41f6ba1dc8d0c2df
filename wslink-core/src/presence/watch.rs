//! One watcher of a list: the list first, then each change.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use futures_util::Stream;

use super::{
    PresenceChange, PresenceEntry,
    list::{Change, List, lock},
};

pub(super) fn entry<T: Clone>((id, connections, data): (Arc<str>, usize, Arc<T>)) -> PresenceEntry<T> {
    PresenceEntry { id: id.to_string(), connections, data: T::clone(&data) }
}

/// One watcher.
pub(super) struct Watch<T> {
    list: Arc<Mutex<List<T>>>,
    number: u64,
    /// The changes that it has seen; nothing before it has the list.
    seen: Option<u64>,
}

impl<T> Watch<T> {
    pub(super) fn new(list: Arc<Mutex<List<T>>>) -> Self {
        let number = lock(&list).watch();
        Self { list, number, seen: None }
    }
}

impl<T> Drop for Watch<T> {
    fn drop(&mut self) {
        let waker = lock(&self.list).forget(self.number);
        drop(waker);
    }
}

impl<T: Clone> Stream for Watch<T> {
    type Item = PresenceChange<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let mut list = lock(&this.list);
        if this.seen == Some(list.changes) {
            let before = list.register(this.number, cx.waker());
            drop(list);
            drop(before);
            return Poll::Pending;
        }
        let Some((seen, change)) = this.seen.and_then(|seen| Some((seen, list.after(seen)?))) else {
            this.seen = Some(list.changes);
            let entries = list.snapshot();
            drop(list);
            return Poll::Ready(Some(PresenceChange::List { entries: entries.into_iter().map(entry).collect() }));
        };
        this.seen = Some(seen + 1);
        drop(list);
        Poll::Ready(Some(match change {
            Change::Joined(id, connections, data) => PresenceChange::Joined { entry: entry((id, connections, data)) },
            Change::Changed(id, connections, data) => PresenceChange::Changed { entry: entry((id, connections, data)) },
            Change::Left(id) => PresenceChange::Left { id: id.to_string() },
        }))
    }
}
