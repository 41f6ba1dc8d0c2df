//! The handle that publishes: for any thread, never waiting for a client.

use std::{borrow::Cow, fmt, future::poll_fn, sync::Arc};

use super::{
    Hub, Payload, Topic,
    hub::{Audience, Channel},
};
use crate::ClientId;

/// Publishes events to the clients of a server.
///
/// Cheap to clone and usable from any thread, inside and outside of handlers. Publishing encodes the
/// payload once per protocol version in use, puts it into the outbox of each client and returns;
/// it never waits for a socket. All clients get the events of a topic in the same order, also where several threads
/// publish at once. What happens to clients that cannot keep up is the topic's [`Delivery`](crate::Delivery).
#[derive(Clone)]
pub struct Publisher {
    hub: Arc<Hub>,
    audience: Audience,
}

impl Publisher {
    /// A publisher to all clients of `hub`.
    pub const fn new(hub: Arc<Hub>) -> Self {
        Self { hub, audience: Audience::All }
    }

    /// Publishes `payload` on `topic`.
    pub fn publish<T: Payload>(&self, topic: Topic<T>, payload: &T) {
        let Topic { uri, delivery, retain, require, key } = topic;
        let channel = Channel::Declared { topic: uri, delivery, key: key(payload), retain, require };
        self.hub.publish(&self.audience, channel, payload.as_serialize());
    }

    /// Publishes on a topic that is only known at run time, reliably.
    ///
    /// Browser clients dispatch only topics of words joined by dots (`[A-Za-z0-9_]`).
    pub fn publish_untyped<T: Payload>(&self, topic: &str, payload: &T) {
        self.hub.publish(&self.audience, Channel::Named(topic), payload.as_serialize());
    }

    /// Waits until every client has taken most of what was published to it. A task that waits for this before each
    /// [`publish`](Self::publish) goes as fast as its slowest client and disconnects no client.
    pub async fn ready(&self) {
        poll_fn(|cx| self.hub.poll_ready(&self.audience, cx)).await;
    }

    /// A publisher whose events go to `client` only.
    #[must_use]
    pub fn to(&self, client: &ClientId) -> Self {
        Self { hub: Arc::clone(&self.hub), audience: Audience::To(client.clone()) }
    }

    /// A publisher whose events go to all clients except `client`.
    #[must_use]
    pub fn except(&self, client: &ClientId) -> Self {
        Self { hub: Arc::clone(&self.hub), audience: Audience::Except(client.clone()) }
    }

    /// A publisher whose events go to the members of `group`.
    #[must_use]
    pub fn group(&self, group: impl Into<String>) -> Self {
        Self { hub: Arc::clone(&self.hub), audience: Audience::Group(group.into()) }
    }

    /// A publisher whose events go to the clients of the principal of that name: every window that a user has open.
    #[must_use]
    pub fn principal(&self, name: impl Into<String>) -> Self {
        Self { hub: Arc::clone(&self.hub), audience: Audience::Principal(name.into()) }
    }

    /// Closes the connection of every client of this publisher's audience, with code 1008 and this reason. They may not
    /// resume; those whose connection was lost are forgotten. Returns how many there were.
    ///
    /// ```
    /// # extern crate wslink_core as wslink;
    /// # use wslink::{Principal, Publisher, service};
    /// struct Accounts { publisher: Publisher }
    ///
    /// #[service]
    /// impl Accounts {
    ///     /// Ends the session of the user on all devices.
    ///     #[rpc("accounts.log_out_everywhere")]
    ///     fn log_out_everywhere(&self, principal: Principal) {
    ///         self.publisher.principal(principal.name()).disconnect("logged out");
    ///     }
    /// }
    /// ```
    pub fn disconnect(&self, reason: impl Into<Cow<'static, str>>) -> usize {
        self.hub.disconnect(&self.audience, &reason.into())
    }

    /// Makes `client` a member of `group` until it leaves it or disconnects.
    ///
    /// ```
    /// # extern crate wslink_core as wslink;
    /// # use wslink::{Client, Publisher, service};
    /// # struct Rooms { publisher: Publisher }
    /// #[service]
    /// impl Rooms {
    ///     #[rpc("rooms.say")]
    ///     fn say(&self, client: Client, room: String, text: String) {
    ///         self.publisher.enter(client.id(), &room);
    ///         self.publisher.group(room).publish_untyped("rooms.said", &text);
    ///     }
    /// }
    /// ```
    pub fn enter(&self, client: &ClientId, group: &str) {
        self.hub.enter(client, group);
    }

    /// Takes `client` out of `group`.
    pub fn exit(&self, client: &ClientId, group: &str) {
        self.hub.exit(client, group);
    }

    /// Has the function of `Builder::authorize` asked again what
    /// `client` may see, because its answers may be others now. Subscriptions with streams of their own
    /// were decided on when they began.
    pub fn reconsider(&self, client: &ClientId) {
        self.hub.reconsider(client);
    }

    /// How many clients of this publisher's audience receive `topic`, so that a producer can idle when
    /// there are none. Clients of the original protocol receive everything.
    #[must_use]
    pub fn subscribers<T>(&self, topic: Topic<T>) -> usize {
        self.hub.subscribers(&self.audience, topic.uri())
    }

    /// The same for a topic that is named at run time.
    #[must_use]
    pub fn subscribers_untyped(&self, topic: &str) -> usize {
        self.hub.subscribers(&self.audience, topic)
    }

    /// Waits until a client of this publisher's audience receives `topic`, so that a producer can sleep while there is
    /// none. Clients of the original protocol receive everything.
    ///
    /// ```
    /// # extern crate wslink_core as wslink;
    /// # use std::time::Duration;
    /// # use wslink::{Publisher, Topic};
    /// # async fn sleep(_: Duration) {}
    /// async fn measure(publisher: Publisher, topic: Topic<f64>, sensor: impl Fn() -> f64) {
    ///     loop {
    ///         publisher.wanted(topic).await;
    ///         publisher.publish(topic, &sensor());
    ///         sleep(Duration::from_millis(100)).await;
    ///     }
    /// }
    /// ```
    pub async fn wanted<T>(&self, topic: Topic<T>) {
        poll_fn(|cx| self.hub.poll_until(|| self.subscribers(topic) > 0, cx)).await;
    }

    /// Waits until no client of this publisher's audience receives `topic`.
    pub async fn unwanted<T>(&self, topic: Topic<T>) {
        poll_fn(|cx| self.hub.poll_until(|| self.subscribers(topic) == 0, cx)).await;
    }

    /// How many events of `topic` were dropped by its delivery policy, for all clients together.
    #[must_use]
    pub fn dropped<T>(&self, topic: Topic<T>) -> u64 {
        self.hub.dropped(topic.uri())
    }

    /// How many events for `client` were dropped by the delivery policies of their topics, on its present
    /// connection.
    #[must_use]
    pub fn dropped_for(&self, client: &ClientId) -> u64 {
        self.hub.dropped_for(client)
    }

    /// How many clients of this publisher's audience are connected and authenticated.
    ///
    /// `publisher.to(client.id()).clients()` is 0 once that client is gone.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.hub.clients(&self.audience)
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Publisher(to {:?})", self.audience)
    }
}
