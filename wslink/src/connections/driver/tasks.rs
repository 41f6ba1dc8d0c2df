//! Futures and streams that one task polls, each with a key by which it can be dropped at any time.
//!
//! Only those that were woken are polled, in the order in which they were.

use std::{
    collections::VecDeque,
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::task::AtomicWaker;
use std::collections::HashMap;

/// Tasks by their keys. An empty set holds no memory.
pub(super) struct Tasks<K, T>(Option<Box<Set<K, T>>>);

struct Set<K, T> {
    tasks: HashMap<K, (T, Arc<Handle<K>>)>,
    ready: Arc<Ready<K>>,
}

/// The keys of tasks that were woken, and the task that polls them.
struct Ready<K> {
    keys: Mutex<VecDeque<K>>,
    poller: AtomicWaker,
}

/// Wakes one task.
struct Handle<K> {
    key: K,
    is_ready: AtomicBool,
    ready: Arc<Ready<K>>,
}

impl<K: Copy + Send + Sync + 'static> Wake for Handle<K> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_ready.swap(true, Ordering::AcqRel) {
            self.ready.keys.lock().unwrap_or_else(PoisonError::into_inner).push_back(self.key);
            self.ready.poller.wake();
        }
    }
}

impl<K: Copy + Eq + Hash + Send + Sync + 'static, T> Tasks<K, T> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Adds a task, which is polled at the next opportunity.
    pub(super) fn insert(&mut self, key: K, task: T) {
        let set = self.0.get_or_insert_with(|| {
            let ready = Arc::new(Ready { keys: Mutex::default(), poller: AtomicWaker::new() });
            Box::new(Set { tasks: HashMap::new(), ready })
        });
        let handle = Arc::new(Handle { key, is_ready: AtomicBool::new(false), ready: Arc::clone(&set.ready) });
        set.tasks.insert(key, (task, Arc::clone(&handle)));
        handle.wake();
    }

    /// Takes a task out.
    pub(super) fn remove(&mut self, key: K) -> Option<T> {
        let set = self.0.as_mut()?;
        let (task, _) = set.tasks.remove(&key)?;
        if set.tasks.is_empty() {
            self.0 = None;
        }
        Some(task)
    }

    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut T> {
        self.0.as_mut()?.tasks.get_mut(&key).map(|(task, _)| task)
    }

    /// Polls the tasks that were woken with `poll`, until one is ready. That one is polled again later, unless it is
    /// removed.
    pub(super) fn poll_next<R>(
        &mut self,
        cx: &Context<'_>,
        mut poll: impl FnMut(&mut T, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<(K, R)> {
        let Some(set) = &mut self.0 else { return Poll::Pending };
        set.ready.poller.register(cx.waker());
        // A task that wakes itself is polled again in the next round.
        let mut left = set.ready.keys.lock().unwrap_or_else(PoisonError::into_inner).len();
        while left > 0 {
            left -= 1;
            let next = set.ready.keys.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((key, (task, handle))) = next.and_then(|key| Some((key, set.tasks.get_mut(&key)?))) else { continue };
            handle.is_ready.store(false, Ordering::Release);
            let waker = Waker::from(Arc::clone(handle));
            if let Poll::Ready(output) = poll(task, &mut Context::from_waker(&waker)) {
                handle.wake_by_ref();
                return Poll::Ready((key, output));
            }
        }
        if !set.ready.keys.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use super::*;

    #[test]
    fn only_what_was_woken_is_polled_and_what_is_removed_is_dropped_at_once() {
        let polled = Rc::new(Cell::new(0));
        let mut tasks = Tasks::new();
        let wakers = Rc::new(Cell::new(None::<Waker>));
        for key in [1, 2] {
            tasks.insert(key, Rc::clone(&polled));
        }
        let cx = Context::from_waker(Waker::noop());
        let poll = |tasks: &mut Tasks<i32, Rc<Cell<i32>>>| {
            tasks.poll_next(&cx, |task, cx| {
                task.set(task.get() + 1);
                wakers.set(Some(cx.waker().clone()));
                Poll::<()>::Pending
            })
        };
        assert!(poll(&mut tasks).is_pending());
        assert_eq!(polled.get(), 2);
        assert!(poll(&mut tasks).is_pending());
        assert_eq!(polled.get(), 2, "nothing was woken");
        wakers.take().unwrap().wake();
        assert!(poll(&mut tasks).is_pending());
        assert_eq!(polled.get(), 3);
        assert!(tasks.remove(1).is_some() && tasks.remove(2).is_some() && tasks.is_empty());
        assert_eq!(Rc::strong_count(&polled), 1);
    }
}
