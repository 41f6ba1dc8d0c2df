//! One call that is being worked on: ends when its handler returns, its client cancels it, or its
//! time is up.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    task::JoinHandle,
    time::{Sleep, sleep},
};

use crate::{
    rpc::{BlockingCall, Cancel, Control, Lane, PendingCall},
    wire::Encoded,
};

pub(super) struct InFlight {
    work: Work,
    control: Option<Control>,
    deadline: Option<Pin<Box<Sleep>>>,
    /// What the client may cancel it by.
    cancellable: Option<(String, Cancel)>,
    answered: bool,
}

/// A call that is over.
pub(super) struct Answered {
    /// `None`: the runtime is gone, and nobody is left to answer.
    pub(super) answer: Option<Encoded>,
    /// The id that the client may use again.
    pub(super) id: Option<String>,
    /// The calls that waited for this one.
    pub(super) lane: Option<Lane>,
    /// Whether it was one of the [`Pool`].
    pub(super) blocked: bool,
}

/// How many handlers of one connection may block at a time, and those that wait for their turn: a
/// client must not take all threads for itself.
pub(super) struct Pool {
    room: usize,
    queue: VecDeque<(BlockingCall, Control)>,
}

impl Pool {
    pub(super) const fn new(room: usize) -> Self {
        Self { room, queue: VecDeque::new() }
    }

    /// Gives the call back when it may begin.
    pub(super) fn begin(&mut self, call: BlockingCall, control: Control) -> Option<(BlockingCall, Control)> {
        if self.room == 0 {
            self.queue.push_back((call, control));
            return None;
        }
        self.room -= 1;
        Some((call, control))
    }

    /// A call of the pool has ended: whose turn is it?
    pub(super) fn end(&mut self) -> Option<(BlockingCall, Control)> {
        let next = self.queue.pop_front();
        self.room += usize::from(next.is_none());
        next
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }
}

enum Work {
    Inline(Box<PendingCall>),
    /// Goes on when this is dropped.
    Detached(JoinHandle<Encoded>),
    /// Goes on when this is dropped, if it has begun.
    Blocking(JoinHandle<Encoded>),
}

impl InFlight {
    /// A handler that waits.
    pub(super) fn inline(mut call: PendingCall) -> Self {
        let control = call.control.take();
        Self::new(Work::Inline(Box::new(call)), control)
    }

    /// A handler that goes on whether or not anybody waits for it, begun now.
    pub(super) fn detached(call: PendingCall, control: Control) -> Self {
        Self::new(Work::Detached(tokio::spawn(call)), Some(control))
    }

    /// A handler that may block, begun now.
    pub(super) fn blocking(call: BlockingCall, control: Control) -> Self {
        Self::new(Work::Blocking(tokio::task::spawn_blocking(|| call.run())), Some(control))
    }

    fn new(work: Work, control: Option<Control>) -> Self {
        let deadline = control.as_ref().and_then(|control| control.timeout).map(|timeout| Box::pin(sleep(timeout)));
        let cancellable = control.as_ref().and_then(Control::cancellable);
        Self { work, control, deadline, cancellable, answered: false }
    }

    /// The id and the handle by which the client may cancel it.
    pub(super) const fn cancellable(&self) -> Option<&(String, Cancel)> {
        self.cancellable.as_ref()
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<Encoded>> {
        let done = match &mut self.work {
            Work::Inline(call) => Pin::new(&mut **call).poll(cx).map(Some),
            Work::Detached(call) | Work::Blocking(call) => Pin::new(call).poll(cx).map(Result::ok),
        };
        if done.is_ready() {
            return done;
        }
        let Some(control) = &mut self.control else { return Poll::Pending };
        if let Poll::Ready(answer) = control.poll_cancelled(cx) {
            return Poll::Ready(Some(answer));
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        deadline.as_mut().poll(cx).map(|()| {
            control.abandon();
            Some(control.too_late())
        })
    }
}

impl Future for InFlight {
    type Output = Answered;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answered> {
        let this = self.get_mut();
        this.poll_answer(cx).map(|answer| {
            this.answered = true;
            Answered {
                answer,
                id: this.cancellable.take().map(|(id, _)| id),
                lane: this.control.as_ref().and_then(|control| control.lane),
                blocked: matches!(this.work, Work::Blocking(_)),
            }
        })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let (false, Some(control)) = (self.answered, &self.control) {
            control.abandon();
        }
        if let Work::Blocking(call) = &self.work {
            call.abort();
        }
    }
}
