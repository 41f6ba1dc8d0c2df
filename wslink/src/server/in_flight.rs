//! One call that is being worked on: ends when its handler returns, its client cancels it, or its
//! time is up.

use std::{
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
}

enum Work {
    Inline(PendingCall),
    /// Goes on when this is dropped.
    Elsewhere(JoinHandle<Encoded>),
}

impl InFlight {
    /// A handler that waits.
    pub(super) fn inline(mut call: PendingCall) -> Self {
        let control = call.control.take();
        Self::new(Work::Inline(call), control)
    }

    /// A handler that goes on whether or not anybody waits for it, begun now.
    pub(super) fn detached(call: PendingCall, control: Control) -> Self {
        Self::new(Work::Elsewhere(tokio::spawn(call)), Some(control))
    }

    /// A handler that may block, begun now.
    pub(super) fn blocking(call: BlockingCall, control: Control) -> Self {
        Self::new(Work::Elsewhere(tokio::task::spawn_blocking(|| call.run())), Some(control))
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
            Work::Inline(call) => Pin::new(call).poll(cx).map(Some),
            Work::Elsewhere(call) => Pin::new(call).poll(cx).map(Result::ok),
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
            }
        })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let (false, Some(control)) = (self.answered, &self.control) {
            control.abandon();
        }
    }
}
