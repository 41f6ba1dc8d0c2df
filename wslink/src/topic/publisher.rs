//! The handle that publishes: for any thread, never waiting for a client.

use std::{fmt, sync::Arc};

use super::{
    Hub, Payload, Topic,
    hub::{Audience, Channel},
};
use crate::ClientId;

/// Publishes events to the clients of a server.
///
/// Cheap to clone and usable from any thread, inside and outside of handlers. Publishing encodes the
/// payload once per protocol generation in use, puts it into the outbox of each client and returns;
/// it never waits for a socket. What happens to clients that cannot keep up is the topic's
/// [`Delivery`](crate::Delivery).
#[derive(Clone)]
pub struct Publisher {
    hub: Arc<Hub>,
    audience: Audience,
}

impl Publisher {
    pub(crate) const fn new(hub: Arc<Hub>) -> Self {
        Self { hub, audience: Audience::All }
    }

    /// Publishes `payload` on `topic`.
    pub fn publish<T: Payload>(&self, topic: Topic<T>, payload: &T) {
        self.hub.publish(&self.audience, Channel::Declared(topic.uri(), topic.delivery()), payload.as_serialize());
    }

    /// Publishes on a topic that is only known at run time, reliably.
    ///
    /// Browser clients dispatch only topics of words joined by dots (`[A-Za-z0-9_]`).
    pub fn publish_untyped<T: Payload>(&self, topic: &str, payload: &T) {
        self.hub.publish(&self.audience, Channel::Named(topic), payload.as_serialize());
    }

    /// A publisher whose events go to `client` only.
    #[must_use]
    pub fn only(&self, client: &ClientId) -> Self {
        Self { hub: Arc::clone(&self.hub), audience: Audience::Only(client.clone()) }
    }

    /// A publisher whose events go to everybody but `client`.
    #[must_use]
    pub fn all_but(&self, client: &ClientId) -> Self {
        Self { hub: Arc::clone(&self.hub), audience: Audience::AllBut(client.clone()) }
    }

    /// How many clients are connected and authenticated.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.hub.len()
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Publisher(to {:?})", self.audience)
    }
}
