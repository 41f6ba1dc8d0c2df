//! One call that is being worked on, or waits for its turn: ends when its handler returns, its client
//! cancels it, or its time is up, which is counted from its arrival.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    task::JoinHandle,
    time::{Sleep, sleep},
};

use super::turns::{Place, Turn};
use wslink_core::{
    connection::Ordered,
    rpc::{BlockingCall, Cancel, Control, PendingCall},
    wire::Encoded,
};

pub(super) struct InFlight {
    work: Work,
    control: Option<Box<Control>>,
    deadline: Option<Deadline>,
    /// What the client may cancel it by.
    cancellable: Option<(String, Cancel)>,
    answered: bool,
}

/// When the client will not wait any longer.
pub(super) type Deadline = Pin<Box<Sleep>>;

/// What became of it.
pub(super) enum Outcome {
    Answered(Answered),
    /// An ordered call may begin.
    Begins(Begins),
}

/// An ordered call whose predecessors have ended.
pub(super) struct Begins {
    pub(super) call: Box<Ordered>,
    pub(super) turn: Turn,
    /// The id by which the client could cancel it while it waited.
    pub(super) id: Option<String>,
    pub(super) deadline: Option<Deadline>,
}

/// A call that is over.
pub(super) struct Answered {
    /// `None`: the runtime is gone, and nobody is left to answer.
    pub(super) answer: Option<Encoded>,
    /// The id that the client may use again.
    pub(super) id: Option<String>,
    /// To be dropped once the answer is on its way, for answers of a lane keep their order.
    pub(super) turn: Turn,
}

/// A thread or a task keeps the turn for as long as it works, whether or not anybody waits for it.
enum Work {
    /// Waits for its turn in its lane.
    Ordered(Option<Box<Ordered>>, Place),
    Inline(Box<PendingCall>, Turn),
    /// Goes on when this is dropped.
    Detached(JoinHandle<(Encoded, Turn)>),
    /// Waits for a thread.
    Queued(Option<(Box<BlockingCall>, Turn)>, Place),
    /// Goes on when this is dropped, if it has begun.
    Blocking(JoinHandle<(Encoded, Turn)>),
}

impl InFlight {
    /// A call that waits for its turn in its lane.
    pub(super) fn ordered(call: Box<Ordered>, control: Box<Control>, place: Place) -> Self {
        Self::new(Work::Ordered(Some(call), place), Some(control), None)
    }

    /// A handler that waits.
    pub(super) fn inline(mut call: Box<PendingCall>, turn: Turn, deadline: Option<Deadline>) -> Self {
        let control = call.control.take();
        Self::new(Work::Inline(call, turn), control, deadline)
    }

    /// A handler that goes on whether or not anybody waits for it, begun now. Keeps `kept` until its end.
    pub(super) fn detached(
        call: Box<PendingCall>,
        control: Box<Control>,
        turn: Turn,
        deadline: Option<Deadline>,
        kept: Arc<()>,
    ) -> Self {
        let work = async move {
            let answer = call.await;
            drop(kept);
            (answer, turn)
        };
        Self::new(Work::Detached(tokio::spawn(work)), Some(control), deadline)
    }

    /// A handler that may block, begun now.
    pub(super) fn blocking(call: Box<BlockingCall>, control: Box<Control>, turn: Turn, deadline: Option<Deadline>) -> Self {
        Self::new(Work::blocking(call, turn), Some(control), deadline)
    }

    /// A handler that may block and waits for a thread.
    pub(super) fn queued(
        call: Box<BlockingCall>,
        control: Box<Control>,
        turn: Turn,
        deadline: Option<Deadline>,
        place: Place,
    ) -> Self {
        Self::new(Work::Queued(Some((call, turn)), place), Some(control), deadline)
    }

    fn new(work: Work, control: Option<Box<Control>>, deadline: Option<Deadline>) -> Self {
        let timeout = control.as_ref().and_then(|control| control.timeout);
        let deadline = deadline.or_else(|| timeout.map(|timeout| Box::pin(sleep(timeout))));
        let cancellable = control.as_ref().and_then(|control| control.cancellable());
        Self { work, control, deadline, cancellable, answered: false }
    }

    /// The id and the handle by which the client may cancel it.
    pub(super) const fn cancellable(&self) -> Option<&(String, Cancel)> {
        self.cancellable.as_ref()
    }

    fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<(Option<Encoded>, Turn)> {
        if self.work.has_begun()
            && let Poll::Ready(done) = self.work.poll(cx)
        {
            return Poll::Ready(done);
        }
        // What has not begun must not begin any more once it is cancelled or late.
        if let Poll::Ready(answer) = self.poll_ended(cx) {
            return Poll::Ready((Some(answer), self.work.end()));
        }
        if self.work.has_begun() { Poll::Pending } else { self.work.poll(cx) }
    }

    /// Ready when nobody waits for the call any more.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Encoded> {
        let Some(control) = &mut self.control else { return Poll::Pending };
        if let Poll::Ready(answer) = control.poll_cancelled(cx) {
            return Poll::Ready(answer);
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        deadline.as_mut().poll(cx).map(|()| {
            control.abandon();
            control.too_late()
        })
    }
}

impl Work {
    fn blocking(call: Box<BlockingCall>, turn: Turn) -> Self {
        Self::Blocking(tokio::task::spawn_blocking(|| (call.run(), turn)))
    }

    const fn has_begun(&self) -> bool {
        !matches!(self, Self::Ordered(..) | Self::Queued(..))
    }

    /// The answer; or, without one, the turn of a call that is to begin.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(Option<Encoded>, Turn)> {
        if let Self::Queued(call, place) = self
            && let Poll::Ready(permit) = place.poll(cx)
            && let Some((call, turn)) = call.take()
        {
            *self = Self::blocking(call, turn.on_thread(permit));
        }
        match self {
            Self::Ordered(_, place) => place.poll(cx).map(|permit| (None, Turn::in_lane(permit))),
            Self::Inline(call, turn) => Pin::new(&mut **call).poll(cx).map(|answer| (Some(answer), std::mem::take(turn))),
            Self::Queued(..) => Poll::Pending,
            Self::Detached(work) | Self::Blocking(work) => Pin::new(work).poll(cx).map(|done| match done {
                Ok((answer, turn)) => (Some(answer), turn),
                Err(_) => (None, Turn::default()),
            }),
        }
    }

    /// Nobody waits for it any more: the turn that it need not keep.
    fn end(&mut self) -> Turn {
        match self {
            Self::Inline(_, turn) => std::mem::take(turn),
            Self::Queued(call, _) => call.take().map(|(_, turn)| turn).unwrap_or_default(),
            Self::Ordered(call, _) => {
                *call = None;
                Turn::default()
            }
            Self::Detached(_) | Self::Blocking(_) => Turn::default(),
        }
    }
}

impl Future for InFlight {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = self.get_mut();
        this.poll_done(cx).map(|(answer, turn)| {
            this.answered = true;
            if let (Some(control), Some(reply)) = (&mut this.control, &answer) {
                control.end(reply);
            }
            let id = this.cancellable.take().map(|(id, _)| id);
            let begins = if let Work::Ordered(call, _) = &mut this.work { call.take() } else { None };
            match begins {
                Some(call) => Outcome::Begins(Begins { call, turn, id, deadline: this.deadline.take() }),
                None => Outcome::Answered(Answered { answer, id, turn }),
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
