//! Runs the handlers of calls: polls those that wait, and has threads run those that block.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
};
use wslink_core::{
    Payload,
    rpc::{BlockingCall, Events, PendingCall, Work},
    session::CallKey,
    wire::Encoded,
};

use super::{Connections, Driver};

/// A handler that has begun.
pub(super) enum Handler {
    Inline(Box<PendingCall>),
    /// Runs on when this is dropped.
    Detached(JoinHandle<Encoded>),
    /// Runs on when this is dropped, if it has begun.
    Blocking(JoinHandle<Encoded>),
}

impl Handler {
    /// Ready with the reply; with none where the handler never began or the runtime is gone.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Encoded>> {
        match self {
            Self::Inline(call) => Pin::new(&mut **call).poll(cx).map(Some),
            Self::Detached(task) | Self::Blocking(task) => Pin::new(task).poll(cx).map(Result::ok),
        }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        if let Self::Blocking(task) = self {
            task.abort();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Begins a handler.
    pub(super) fn run(&mut self, call: CallKey, work: Work, cx: &mut Context<'_>, now: Instant) {
        let handler = match work {
            Work::Inline(mut pending) => match Pin::new(&mut *pending).poll(cx) {
                Poll::Ready(reply) => {
                    drop(pending);
                    return self.session.finish_call(now, call, Some(reply));
                }
                Poll::Pending => Handler::Inline(pending),
            },
            Work::Detached(pending) => Handler::Detached(self.connections.tracker.spawn(pending)),
            Work::Blocking(blocking) => Handler::Blocking(on_thread(&self.connections, blocking)),
        };
        self.handlers.insert(call, handler);
    }

    /// Nobody waits for the reply of a call any more: drops its handler, or leaves a thread or task to itself.
    pub(super) fn abort(&mut self, call: CallKey, now: Instant) {
        match self.handlers.get_mut(call) {
            Some(Handler::Inline(_)) => {
                drop(self.handlers.remove(call));
                self.session.finish_call(now, call, None);
            }
            Some(Handler::Blocking(task)) => task.abort(),
            Some(Handler::Detached(_)) | None => {}
        }
    }

    /// Polls the handlers that were woken, whether or not their client reads: they may hold what handlers of other
    /// clients wait for. Returns whether any has ended.
    pub(super) fn poll_handlers(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let mut ended = false;
        while self.session.closing().is_none()
            && let Poll::Ready((call, reply)) = self.handlers.poll_next(cx, Handler::poll)
        {
            ended = true;
            drop(self.handlers.remove(call));
            self.session.finish_call(now, call, reply);
            self.handle_events(cx, now);
        }
        ended
    }
}

/// Runs a handler on a thread, when one of those that the server has for it is free.
fn on_thread(connections: &Connections, call: Box<BlockingCall>) -> JoinHandle<Encoded> {
    let Connections { threads, tracker, .. } = connections;
    if let Ok(permit) = Arc::clone(threads).try_acquire_owned() {
        return tracker.spawn_blocking(move || {
            let _permit = permit;
            call.run()
        });
    }
    let (threads, tracker) = (Arc::clone(threads), tracker.clone());
    tracker.clone().spawn(async move {
        let permit = threads.acquire_owned().await;
        let running = tracker.spawn_blocking(move || {
            let _permit = permit;
            call.run()
        });
        match running.await {
            Ok(reply) => reply,
            Err(_) => Encoded::nothing(),
        }
    })
}

/// Polls the stream of a subscription; one that panics has ended.
pub(super) fn poll_stream(events: &mut Events, cx: &mut Context<'_>) -> Poll<Option<Box<dyn Payload + Send>>> {
    wslink_core::rpc::poll_stream(events, cx)
}

pub(super) use wslink_core::drop_caught;
