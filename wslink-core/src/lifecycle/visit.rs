//! One client from its first hello to its end: its state, and what the services have not heard of it yet.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Admission, HookKind, HookRun, Hooks, Instance};
use crate::{Client, Disconnect, panics::drop_caught, topic::Companion};

/// A client from its first hello to its end. Its connection, the handlers that may outlive that, and the hub share it; when
/// the last of them drops it, the client is gone.
pub struct Visit(Arc<Inner>);

pub(super) struct Inner {
    pub(super) hooks: Arc<Hooks>,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) client: Client,
    /// The reason, if the client were gone now.
    reason: Disconnect,
    /// Counts the connections, of which only the last one may change the reason.
    connection: u64,
    is_lost: bool,
    /// The groups of hooks that know of the client, from the first one on.
    pub(super) known_to: usize,
    /// The instances that the client has of services, by the groups of their hooks.
    pub(super) instances: Vec<(usize, Instance)>,
    /// Topics with hooks that the client receives, with the number of its subscriptions.
    topics: Vec<(&'static str, usize)>,
    /// The occasions that the services have not heard of yet.
    pub(super) untold: VecDeque<Occasion>,
    /// A `HookRun` tells them now.
    pub(super) is_telling: bool,
}

/// An occasion that services hear of.
#[derive(Clone, Debug)]
pub(super) enum Occasion {
    Lost,
    Resumed,
    Subscribed(&'static str),
    Unsubscribed(&'static str),
    Disconnected(Disconnect),
}

impl Occasion {
    pub(super) const fn kind(&self) -> HookKind {
        match self {
            Self::Lost => HookKind::Lost,
            Self::Resumed => HookKind::Resumed,
            Self::Subscribed(_) => HookKind::Subscribed,
            Self::Unsubscribed(_) => HookKind::Unsubscribed,
            Self::Disconnected(_) => HookKind::Disconnected,
        }
    }

    pub(super) const fn topic(&self) -> Option<&'static str> {
        match self {
            Self::Subscribed(topic) | Self::Unsubscribed(topic) => Some(topic),
            Self::Lost | Self::Resumed | Self::Disconnected(_) => None,
        }
    }

    /// Whether the one undoes the other, so that services which know of neither need not hear of them: what a client makes
    /// the server hold for slow hooks is bounded by the number of topics that have hooks.
    fn undoes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Resumed, Self::Lost) => true,
            (Self::Subscribed(topic), Self::Unsubscribed(other)) | (Self::Unsubscribed(topic), Self::Subscribed(other)) => {
                topic == other
            }
            _ => false,
        }
    }

    /// Whether the services hear of it in the reverse of their order: what is built up is taken down.
    pub(super) const fn is_end(&self) -> bool {
        matches!(self, Self::Unsubscribed(_) | Self::Disconnected(_))
    }
}

impl Visit {
    /// The visit of `client`, of which no service knows yet.
    #[must_use]
    pub(crate) fn new(hooks: Arc<Hooks>, client: Client) -> Self {
        let state = State {
            client,
            reason: Disconnect::Lost,
            connection: 0,
            is_lost: false,
            known_to: 0,
            instances: Vec::new(),
            topics: Vec::new(),
            untold: VecDeque::new(),
            is_telling: false,
        };
        Self(Arc::new(Inner { hooks, state: Mutex::new(state) }))
    }

    /// The instance that the client has of the service whose hooks are at `group`.
    pub(crate) fn instance(&self, group: usize) -> Option<Instance> {
        self.0.instance(group)
    }

    pub(super) const fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// The hooks that a client passes before it is taken.
    pub(crate) fn admit(self: &Arc<Self>) -> Admission {
        Admission::new(Arc::clone(self))
    }

    /// The client has changed: it is another principal, or came by another connection.
    pub(crate) fn set_client(&self, client: Client) {
        let before = mem::replace(&mut self.0.lock().client, client);
        drop_caught(before);
    }

    /// The reason to be told when the client is gone, as that connection sees it.
    pub(crate) fn set_reason(&self, connection: u64, reason: Disconnect) {
        let mut state = self.0.lock();
        if state.connection == connection {
            state.reason = reason;
        }
    }

    /// The connection is lost, and the client may resume.
    pub(crate) fn lost(&self) {
        let mut state = self.0.lock();
        state.reason = Disconnect::Expired;
        if !mem::replace(&mut state.is_lost, true) {
            self.0.tell(state, [Occasion::Lost]);
        }
    }

    /// The client has resumed by another connection, and receives these topics. Returns the connection's number.
    pub(crate) fn resumed<'t>(&self, client: Client, topics: impl Iterator<Item = &'t str>) -> u64 {
        let mut state = self.0.lock();
        let before = mem::replace(&mut state.client, client);
        state.reason = Disconnect::Lost;
        state.connection += 1;
        let connection = state.connection;
        let mut occasions = Vec::new();
        // The one before may not even know that it is over.
        if !mem::replace(&mut state.is_lost, false) {
            occasions.push(Occasion::Lost);
        }
        occasions.push(Occasion::Resumed);
        let mut kept: Vec<(&'static str, usize)> = Vec::new();
        for topic in topics.filter_map(|topic| self.0.hooks.topic(topic)) {
            match kept.iter_mut().find(|(known, _)| *known == topic) {
                Some((_, count)) => *count += 1,
                None => kept.push((topic, 1)),
            }
        }
        for (topic, _) in mem::replace(&mut state.topics, kept) {
            if state.topics.iter().all(|(kept, _)| *kept != topic) {
                occasions.push(Occasion::Unsubscribed(topic));
            }
        }
        self.0.tell(state, occasions);
        drop_caught(before);
        connection
    }

    /// The client has another subscription.
    pub(crate) fn subscribed(&self, topic: &str) {
        let Some(topic) = self.0.hooks.topic(topic) else { return };
        let mut state = self.0.lock();
        if let Some((_, count)) = state.topics.iter_mut().find(|(known, _)| *known == topic) {
            *count += 1;
            return;
        }
        state.topics.push((topic, 1));
        self.0.tell(state, [Occasion::Subscribed(topic)]);
    }

    /// The client has a subscription less.
    pub(crate) fn unsubscribed(&self, topic: &str) {
        let Some(topic) = self.0.hooks.topic(topic) else { return };
        let mut state = self.0.lock();
        let Some(at) = state.topics.iter().position(|(known, _)| *known == topic) else { return };
        state.topics[at].1 -= 1;
        if state.topics[at].1 == 0 {
            state.topics.remove(at);
            self.0.tell(state, [Occasion::Unsubscribed(topic)]);
        }
    }

    /// Every topic that has hooks.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &'static str> {
        self.0.hooks.topics()
    }
}

impl Companion for Visit {
    fn end_with(&self, reason: Disconnect) {
        self.0.lock().reason = reason;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        let topics = mem::take(&mut state.topics);
        let ended = topics.into_iter().rev().map(|(topic, _)| Occasion::Unsubscribed(topic));
        let reason = state.reason.clone();
        let last = Occasion::Disconnected(reason);
        self.0.tell(state, ended.chain([last]).collect::<Vec<_>>());
    }
}

impl Inner {
    /// Adds occasions, and has them told unless something is being told.
    fn tell(self: &Arc<Self>, mut state: MutexGuard<'_, State>, occasions: impl IntoIterator<Item = Occasion>) {
        if state.known_to == 0 {
            return;
        }
        for occasion in occasions {
            match state.untold.iter().position(|untold| occasion.undoes(untold)) {
                Some(at) => _ = state.untold.remove(at),
                None => state.untold.push_back(occasion),
            }
        }
        if state.untold.is_empty() || mem::replace(&mut state.is_telling, true) {
            return;
        }
        drop(state);
        self.hooks.spawn(HookRun::new(Arc::clone(self)));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn instance(&self, group: usize) -> Option<Instance> {
        let state = self.lock();
        state.instances.iter().find(|(of, _)| *of == group).map(|(_, instance)| Arc::clone(instance))
    }
}
