//! Topics: what is published, to whom, and what happens to a client that cannot keep up.

use std::fmt;

use serde::Serialize;

pub(crate) use self::authorization::Restriction;
pub use self::authorization::{Ask, Guard};
pub use self::publisher::Publisher;
pub use self::{
    hub::{AGES, Disconnected, Hub, Resume, Resumed},
    outbox::{Ended, Outbox},
    subscriber::Companion,
    subscriptions::{Interest, Topics},
};
pub use crate::delivery::Delivery;

mod authorization;
mod budget;
mod discarded;
#[cfg(test)]
mod drop_tests;
mod event;
mod hub;
mod outbox;
mod protocols;
mod publisher;
mod queue;
mod replay_buffer;
mod resumption;
mod subscriber;
mod subscriptions;

/// A topic with the type of its payload.
///
/// Declared in a service, where the macro gives it its value:
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::{Publisher, Topic, service};
///
/// struct Clock { publisher: Publisher }
///
/// #[service]
/// impl Clock {
///     /// Seconds since the server started.
///     #[topic("clock.tick", delivery = latest)]
///     pub const TICK: Topic<u64>;
///
///     fn tick(&self, seconds: u64) {
///         self.publisher.publish(Self::TICK, &seconds);
///     }
/// }
/// ```
pub struct Topic<T> {
    uri: &'static str,
    delivery: Delivery,
    retain: bool,
    require: Option<&'static str>,
    key: fn(&T) -> u64,
}

impl<T: Payload> Topic<T> {
    /// A topic outside a service. `uri` is words of letters, digits and `_`, joined by dots.
    #[must_use]
    pub const fn new(uri: &'static str, delivery: Delivery) -> Self {
        Self { uri, delivery, retain: false, require: None, key: |_| 0 }
    }

    /// The same topic, whose last payload is kept for clients that subscribe later.
    #[must_use]
    pub const fn retaining(self) -> Self {
        Self { retain: true, ..self }
    }

    /// The same topic, for those clients only whose [`Principal`](crate::Principal) has `authority`.
    #[must_use]
    pub const fn requiring(self, authority: &'static str) -> Self {
        Self { require: Some(authority), ..self }
    }

    /// The same topic, whose delivery policy is applied to each key by itself: with
    /// [`Delivery::Latest`], the newest event of each key waits. 0 is no key.
    #[must_use]
    pub const fn keyed(self, key: fn(&T) -> u64) -> Self {
        Self { key, ..self }
    }
}

impl<T> Topic<T> {
    /// What clients subscribe to.
    #[must_use]
    pub const fn uri(&self) -> &'static str {
        self.uri
    }

    /// What happens to a client that cannot keep up.
    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }
}

impl<T> Clone for Topic<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Topic<T> {}

impl<T> fmt::Debug for Topic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({}, {:?})", self.uri, self.delivery)
    }
}

/// A value that can be published.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the payload of a topic",
    label = "cannot be sent to a client",
    note = "derive `serde::Serialize` for it"
)]
pub trait Payload {
    /// As serde sees it.
    fn as_serialize(&self) -> &dyn erased_serde::Serialize;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Payload for T {
    fn as_serialize(&self) -> &dyn erased_serde::Serialize {
        self
    }
}
