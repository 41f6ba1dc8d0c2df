//! Whose turn it is: calls of an ordered service go one at a time, and handlers that block a few at a
//! time, since threads are everybody's. Who waits goes in order of arrival.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::unconstrained,
};

use wslink_core::rpc::Lane;

/// The turns of one connection.
pub(super) struct Turns {
    lanes: HashMap<Lane, Arc<Semaphore>>,
    threads: Arc<Semaphore>,
    /// Held by each detached handler, whether or not anybody waits for it, and here once there was one.
    detached: Option<Arc<()>>,
}

/// What a call may use until this is dropped.
#[derive(Default)]
pub(super) struct Turn {
    _lane: Option<OwnedSemaphorePermit>,
    _thread: Option<OwnedSemaphorePermit>,
}

/// The place of a call in a queue; dropping it leaves the queue.
pub(super) struct Place {
    permit: Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>,
}

impl Turns {
    pub(super) fn new(threads: usize) -> Self {
        // A service that blocks is not to wait for ever.
        let threads = threads.clamp(1, Semaphore::MAX_PERMITS);
        Self { lanes: HashMap::new(), threads: Arc::new(Semaphore::new(threads)), detached: None }
    }

    /// A turn in `lane`, or a place in its queue.
    pub(super) fn in_lane(&mut self, lane: Lane, cx: &mut Context<'_>) -> Result<Turn, Place> {
        let lane = self.lanes.entry(lane).or_insert_with(|| Arc::new(Semaphore::new(1)));
        enter(lane, cx).map(|permit| Turn { _lane: Some(permit), _thread: None })
    }

    /// What a detached handler keeps until its end.
    pub(super) fn detach(&mut self) -> Arc<()> {
        Arc::clone(self.detached.get_or_insert_default())
    }

    /// How many detached handlers have not ended.
    pub(super) fn detached(&self) -> usize {
        self.detached.as_ref().map_or(0, |detached| Arc::strong_count(detached) - 1)
    }

    /// A turn on a thread, or a place in the queue for one.
    pub(super) fn on_thread(&self, cx: &mut Context<'_>) -> Result<OwnedSemaphorePermit, Place> {
        enter(&self.threads, cx)
    }
}

fn enter(turns: &Arc<Semaphore>, cx: &mut Context<'_>) -> Result<OwnedSemaphorePermit, Place> {
    if let Ok(permit) = Arc::clone(turns).try_acquire_owned() {
        return Ok(permit);
    }
    let waits = Arc::clone(turns).acquire_owned();
    let mut place = Place { permit: Box::pin(unconstrained(async { waits.await.ok() })) };
    // Polling it is what takes the place.
    match place.poll(cx) {
        Poll::Ready(permit) => permit.ok_or(place),
        Poll::Pending => Err(place),
    }
}

impl Place {
    /// Ready when it is its turn.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<OwnedSemaphorePermit>> {
        self.permit.as_mut().poll(cx)
    }
}

impl Turn {
    pub(super) const fn in_lane(permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { _lane: permit, _thread: None }
    }

    /// The same, on a thread as well.
    pub(super) fn on_thread(self, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { _thread: permit, ..self }
    }
}
