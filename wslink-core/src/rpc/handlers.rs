//! Requires `Send` and `Sync` of a service and its handlers, once, so that one type that cannot be shared is one compile
//! error. Must not know what handlers do.

use std::{any::Any, future::Future, marker::PhantomData, sync::Arc};

use super::{Called, Outcome};
use crate::wire::Encoded;

/// Any service.
type Erased = Arc<dyn Any + Send + Sync>;

/// How a service becomes one of many in the dispatch table, and itself again.
pub struct Erasure<S> {
    erase: fn(S) -> Erased,
    find: fn(Erased) -> Option<Arc<S>>,
}

impl<S> Erasure<S> {
    pub(crate) fn erase(&self, service: S) -> Erased {
        (self.erase)(service)
    }

    pub(crate) fn find(&self, erased: Erased) -> Option<Arc<S>> {
        (self.find)(erased)
    }
}

impl<S: Send + Sync + 'static> Erasure<S> {
    /// Of a service that can be shared.
    pub const OF: Self = Self { erase: |service| Arc::new(service), find: |erased| erased.downcast().ok() };
}

/// The handlers of a service. What they must be is in the notes of compiler errors, by these names.
pub struct Handlers<S>(PhantomData<S>);

impl<S: Send + Sync + 'static> Handlers<S> {
    /// How the table keeps the service.
    pub const ERASURE: Erasure<S> = Erasure::OF;

    /// The outcome of a shim whose method is asynchronous.
    pub fn asynchronous(handler: impl Future<Output = Encoded> + Send + 'static) -> Called {
        Ok(Outcome::future(handler))
    }

    /// The outcome of a shim whose method is asynchronous and goes on without its client.
    pub fn detached(handler: impl Future<Output = Encoded> + Send + 'static) -> Called {
        Ok(Outcome::detached(handler))
    }

    /// The outcome of a shim whose method may block.
    pub fn blocking(handler: impl FnOnce() -> Encoded + Send + 'static) -> Called {
        Ok(Outcome::blocking(handler))
    }
}

/// The same for a type that cannot be shared, which [`SharedByCalls`] says at the type: that none of its
/// handlers can go to another thread is no second mistake. None of it is ever called.
pub trait NotShared<S> {
    /// As [`Handlers::ERASURE`].
    const ERASURE: Erasure<S> = Erasure { erase: |_| Arc::new(()), find: |_| None };

    /// As [`Handlers::asynchronous`].
    fn asynchronous(_: impl Future<Output = Encoded>) -> Called {
        unreachable!("no service is of a type that cannot be shared")
    }

    /// As [`Handlers::detached`].
    fn detached(_: impl Future<Output = Encoded>) -> Called {
        unreachable!("no service is of a type that cannot be shared")
    }

    /// As [`Handlers::blocking`].
    fn blocking(_: impl FnOnce() -> Encoded) -> Called {
        unreachable!("no service is of a type that cannot be shared")
    }
}

impl<S> NotShared<S> for Handlers<S> {}

/// Asks whether a type is `Send + Sync`, one after the other: a type that is neither, as `Box<dyn Trait>`, is told of
/// `Send`, and in the same note of both.
pub struct SharedByCalls<S>(PhantomData<S>);

// The compiler prints the lines of the bounds with the error, so what to write stands behind them.
#[rustfmt::skip]
impl<S: Send> SharedByCalls<S> {
    /// Compiles where the service is `Sync`.
    pub fn check()
    where
        S: Sync, // calls on several threads share it: write `Mutex` for `Cell` or `RefCell`, `+ Send + Sync` after a `dyn Trait`
    {
    }
}

/// For what is not `Send`.
#[rustfmt::skip]
pub trait NotSend<S> {
    /// Compiles where the service is `Send`.
    fn check()
    where
        S: Send, // calls on several threads share it: write `Arc` for `Rc`, `+ Send + Sync` after a `dyn Trait`
    {
    }
}

impl<S> NotSend<S> for SharedByCalls<S> {}
