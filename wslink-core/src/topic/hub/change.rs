//! Changes of the clients, and who waits for one: a producer that sleeps while nobody wants its topic.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Mutex, MutexGuard, PoisonError, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use super::{Clients, Hub};

/// The tasks that wait for a change.
#[derive(Default)]
pub(super) struct Watchers {
    wakers: Mutex<Vec<Waker>>,
    /// So that a change takes no lock where nobody waits.
    any: AtomicBool,
}

impl Watchers {
    fn add(&self, waker: &Waker) {
        let mut wakers = self.lock();
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
        }
        self.any.store(true, Ordering::Release);
    }

    fn wake(&self) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let wakers = {
            let mut wakers = self.lock();
            self.any.store(false, Ordering::Release);
            std::mem::take(&mut *wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clients, to be changed. Who waits is woken after the lock.
pub(in crate::topic) struct Change<'h> {
    /// There until this is dropped.
    clients: Option<RwLockWriteGuard<'h, Clients>>,
    watchers: &'h Watchers,
}

impl Deref for Change<'_> {
    type Target = Clients;

    fn deref(&self) -> &Clients {
        self.clients.as_deref().unwrap_or_else(|| unreachable!("only taken when it is dropped"))
    }
}

impl DerefMut for Change<'_> {
    fn deref_mut(&mut self) -> &mut Clients {
        self.clients.as_deref_mut().unwrap_or_else(|| unreachable!("only taken when it is dropped"))
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.clients = None;
        self.watchers.wake();
    }
}

impl Hub {
    pub(in crate::topic) fn change(&self) -> Change<'_> {
        let clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
        Change { clients: Some(clients), watchers: &self.watchers }
    }

    /// Ready once `holds` does, which depends on the clients and what they receive.
    pub(in crate::topic) fn poll_until(&self, holds: impl Fn() -> bool, cx: &mut Context<'_>) -> Poll<()> {
        if holds() {
            return Poll::Ready(());
        }
        self.watchers.add(cx.waker());
        // It may have changed in between.
        if holds() { Poll::Ready(()) } else { Poll::Pending }
    }
}
