//! The list itself, and its newest changes. Runs no code of the application.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use crate::ClientId;

/// So many changes are kept for watchers that have not seen them.
const RECENT: usize = 256;

pub(super) struct List<T> {
    entries: BTreeMap<Arc<str>, Here<T>>,
    /// Which entry a client belongs to.
    clients: BTreeMap<ClientId, Arc<str>>,
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
struct Here<T> {
    connections: usize,
    data: Arc<T>,
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

/// The wakers of watchers, and data that is no longer listed: both run code of others, so they are woken and dropped when
/// the list is not locked. To be declared before the lock.
pub(super) struct Dropped<T> {
    wakers: Vec<Waker>,
    changes: Vec<Change<T>>,
    data: Vec<Arc<T>>,
}

impl<T> Default for Dropped<T> {
    fn default() -> Self {
        Self { wakers: Vec::new(), changes: Vec::new(), data: Vec::new() }
    }
}

impl<T> Drop for Dropped<T> {
    fn drop(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
        self.changes.clear();
        self.data.clear();
    }
}

/// None of the application's code runs while the list is locked, so it is whole even where that code panics.
pub(super) fn lock<T>(list: &Mutex<List<T>>) -> MutexGuard<'_, List<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// The client belongs to the entry of that id, with this data.
    pub(super) fn enter(&mut self, client: &ClientId, id: Arc<str>, data: Arc<T>, dropped: &mut Dropped<T>) {
        let before = self.clients.insert(client.clone(), Arc::clone(&id));
        let is_new = before.as_ref() != Some(&id);
        if let Some(before) = before.filter(|_| is_new) {
            self.take_connection(before, dropped);
        }
        let change = match self.entries.get_mut(&id) {
            Some(here) => {
                here.connections += usize::from(is_new);
                dropped.data.push(mem::replace(&mut here.data, Arc::clone(&data)));
                Change::Changed(id, here.connections, data)
            }
            None => {
                self.entries.insert(Arc::clone(&id), Here { connections: 1, data: Arc::clone(&data) });
                Change::Joined(id, 1, data)
            }
        };
        self.tell(change, dropped);
    }

    /// Returns whether the client is here.
    pub(super) fn set(&mut self, client: &ClientId, data: Arc<T>, dropped: &mut Dropped<T>) -> bool {
        let Some(id) = self.clients.get(client).cloned() else { return false };
        self.enter(client, id, data, dropped);
        true
    }

    /// Returns whether the client was here.
    pub(super) fn leave(&mut self, client: &ClientId, dropped: &mut Dropped<T>) -> bool {
        let id = self.clients.remove(client);
        let was_here = id.is_some();
        id.into_iter().for_each(|id| self.take_connection(id, dropped));
        was_here
    }

    /// The data of the client's entry.
    pub(super) fn data(&self, client: &ClientId) -> Option<Arc<T>> {
        self.entries.get(self.clients.get(client)?).map(|here| Arc::clone(&here.data))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn take_connection(&mut self, id: Arc<str>, dropped: &mut Dropped<T>) {
        let Some(here) = self.entries.get_mut(&id) else { return };
        here.connections -= 1;
        let change = if here.connections > 0 {
            Change::Changed(id, here.connections, Arc::clone(&here.data))
        } else {
            dropped.data.extend(self.entries.remove(&id).map(|here| here.data));
            Change::Left(id)
        };
        self.tell(change, dropped);
    }

    fn tell(&mut self, change: Change<T>, dropped: &mut Dropped<T>) {
        self.changes += 1;
        self.recent.push_back(change);
        if self.recent.len() > RECENT {
            dropped.changes.extend(self.recent.pop_front());
        }
        dropped.wakers.extend(mem::take(&mut self.watchers).into_values());
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
