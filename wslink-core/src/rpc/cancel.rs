//! Tells a handler, and whatever it started, that nobody waits for its call any more.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{Call, Parameter, ParameterKind, bind::ArgumentError};

/// Whether a call was cancelled, as a context parameter of a handler.
///
/// A call is cancelled by its client, by its deadline, or by the end of its connection. The future of
/// an asynchronous handler is then dropped, which is enough for most; this is for what dropping does
/// not reach: work on other threads, and handlers that are `blocking`.
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::{Cancel, service};
///
/// struct Solver;
///
/// #[service]
/// impl Solver {
///     #[rpc("solver.run", blocking)]
///     fn run(&self, steps: u64, cancel: Cancel) -> u64 {
///         (0..steps).take_while(|_| !cancel.is_cancelled()).count() as u64
///     }
/// }
/// ```
#[derive(Clone, Default)]
pub struct Cancel(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    cancelled: bool,
    /// One for each who waits.
    wakers: Vec<(u64, Waker)>,
    last: u64,
}

impl Cancel {
    /// Whether the call was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    /// Waits until the call is cancelled.
    pub async fn cancelled(&self) {
        self.clone().wait().await;
    }

    /// Waits until the call is cancelled, polled by whoever comes.
    pub const fn wait(self) -> Cancelled {
        Cancelled { cancel: self, number: None }
    }

    /// Cancels the call: wakes everything that waits for it.
    pub fn cancel(&self) {
        let wakers = {
            let mut state = self.lock();
            state.cancelled = true;
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ready when a call is cancelled.
pub struct Cancelled {
    cancel: Cancel,
    /// Which waker is its own.
    number: Option<u64>,
}

impl Cancelled {
    pub const fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

impl Future for Cancelled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { cancel, number } = self.get_mut();
        let mut state = cancel.lock();
        if state.cancelled {
            return Poll::Ready(());
        }
        match number.and_then(|number| state.wakers.iter_mut().find(|(of, _)| *of == number)) {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => {
                state.last += 1;
                *number = Some(state.last);
                let waker = (state.last, cx.waker().clone());
                state.wakers.push(waker);
            }
        }
        Poll::Pending
    }
}

impl Drop for Cancelled {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.cancel.lock().wakers.retain(|(of, _)| *of != number);
        }
    }
}

impl Parameter for Cancel {
    const KIND: ParameterKind = ParameterKind::Context;

    fn take(call: &mut Call<'_>, _: usize) -> Result<Self, ArgumentError> {
        Ok(call.cancel())
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cancel({})", self.is_cancelled())
    }
}
