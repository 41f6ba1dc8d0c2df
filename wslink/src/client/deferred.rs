//! A request that can still be changed until it is first polled, and is a future from then on.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::Error;

pub(super) enum Deferred<P, T> {
    Prepared(P),
    Running(Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>),
    Done,
}

impl<P, T> Deferred<P, T> {
    /// Changes what was not begun yet.
    pub(super) fn change(mut self, change: impl FnOnce(&mut P)) -> Self {
        if let Self::Prepared(prepared) = &mut self {
            change(prepared);
        }
        self
    }

    /// Begins it, where it was not, and goes on with it.
    pub(super) fn poll<F>(&mut self, cx: &mut Context<'_>, begin: impl FnOnce(P) -> F) -> Poll<Result<T, Error>>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        *self = match std::mem::replace(self, Self::Done) {
            Self::Prepared(prepared) => Self::Running(Box::pin(begin(prepared))),
            begun => begun,
        };
        // Polled once more after its end, which a future need not bear.
        let Self::Running(running) = self else { return Poll::Ready(Err(Error::Closed)) };
        let outcome = ready!(running.as_mut().poll(cx));
        *self = Self::Done;
        Poll::Ready(outcome)
    }
}
