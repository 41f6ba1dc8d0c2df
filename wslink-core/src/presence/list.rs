//! The list itself, and its newest changes. Runs no code of the application.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
    task::Waker,
};

use crate::ClientId;

/// So many changes are kept for watchers that have not seen them.
const RECENT: usize = 256;

pub(super) struct List<T> {
    pub(super) entries: BTreeMap<Arc<str>, Here<T>>,
    /// Which entry a client belongs to.
    pub(super) clients: BTreeMap<ClientId, Arc<str>>,
    /// The newest changes.
    recent: VecDeque<Change<T>>,
    /// The number of changes so far.
    pub(super) changes: u64,
    /// Those that have seen everything, by their numbers.
    watchers: BTreeMap<u64, Waker>,
    /// The number of watchers so far.
    watched: u64,
}

/// The data is in an `Arc`, so that none of the application's code runs while the list is locked.
pub(super) struct Here<T> {
    pub(super) connections: usize,
    pub(super) data: Arc<T>,
}

pub(super) enum Change<T> {
    Joined(Arc<str>, usize, Arc<T>),
    Changed(Arc<str>, usize, Arc<T>),
    Left(Arc<str>),
}

impl<T> Clone for Change<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Joined(id, connections, data) => Self::Joined(Arc::clone(id), *connections, Arc::clone(data)),
            Self::Changed(id, connections, data) => Self::Changed(Arc::clone(id), *connections, Arc::clone(data)),
            Self::Left(id) => Self::Left(Arc::clone(id)),
        }
    }
}

/// The wakers of watchers, and data that was replaced: both run code of others, which no lock of ours may be held for.
pub(super) struct Dropped<T> {
    wakers: Vec<Waker>,
    changes: Vec<Change<T>>,
    data: Option<Arc<T>>,
}

impl<T> Default for Dropped<T> {
    fn default() -> Self {
        Self { wakers: Vec::new(), changes: Vec::new(), data: None }
    }
}

impl<T> Dropped<T> {
    /// To be called when the list is not locked.
    pub(super) fn wake(self) {
        let Self { wakers, changes, data } = self;
        drop((changes, data));
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<T> List<T> {
    pub(super) const fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            clients: BTreeMap::new(),
            recent: VecDeque::new(),
            changes: 0,
            watchers: BTreeMap::new(),
            watched: 0,
        }
    }

    /// The number of another watcher.
    pub(super) const fn watch(&mut self) -> u64 {
        self.watched += 1;
        self.watched
    }

    /// Wakes that watcher at the next change. Returns a waker that is not needed any more.
    pub(super) fn register(&mut self, watcher: u64, waker: &Waker) -> Option<Waker> {
        self.watchers.insert(watcher, waker.clone())
    }

    /// That watcher is gone. Returns its waker.
    pub(super) fn forget(&mut self, watcher: u64) -> Option<Waker> {
        self.watchers.remove(&watcher)
    }

    /// Takes a connection from an entry.
    pub(super) fn take_connection(&mut self, id: &Arc<str>) -> Dropped<T> {
        let Some(here) = self.entries.get_mut(id) else { return Dropped::default() };
        here.connections -= 1;
        if here.connections > 0 {
            let change = Change::Changed(Arc::clone(id), here.connections, Arc::clone(&here.data));
            return self.tell(change);
        }
        let data = self.entries.remove(id).map(|here| here.data);
        Dropped { data, ..self.tell(Change::Left(Arc::clone(id))) }
    }

    pub(super) fn tell(&mut self, change: Change<T>) -> Dropped<T> {
        self.changes += 1;
        self.recent.push_back(change);
        let surplus = self.recent.len().saturating_sub(RECENT);
        Dropped {
            wakers: mem::take(&mut self.watchers).into_values().collect(),
            changes: self.recent.drain(..surplus).collect(),
            data: None,
        }
    }

    pub(super) fn snapshot(&self) -> Vec<(Arc<str>, usize, Arc<T>)> {
        self.entries.iter().map(|(id, here)| (Arc::clone(id), here.connections, Arc::clone(&here.data))).collect()
    }

    /// The change after `seen`; nothing where that is not kept any more.
    pub(super) fn after(&self, seen: u64) -> Option<Change<T>> {
        let behind = usize::try_from(self.changes - seen).ok()?;
        self.recent.len().checked_sub(behind).and_then(|at| self.recent.get(at)).cloned()
    }
}
