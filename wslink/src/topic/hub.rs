//! Who receives events: the authenticated clients of one server, and what each asked for.
//!
//! Encodes a publication once per wire generation in use and hands the same frames to every outbox.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    task::{Context, Poll},
};

use super::{Delivery, Outbox};
use crate::{
    CallError, ClientId, ErrorCode,
    observe::Account,
    wire::{self, Content, Encoded, Outgoing, Subject, WireVersion},
};

#[derive(Default)]
pub(crate) struct Hub {
    clients: RwLock<Clients>,
    /// The last event of each topic that keeps it, in every generation.
    retained: Mutex<BTreeMap<&'static str, [Encoded; wire::ALL.len()]>>,
    /// Events dropped by the policy of their topic.
    dropped: Mutex<HashMap<&'static str, u64>>,
    /// The account of the server, if it is kept.
    account: OnceLock<Arc<Account>>,
}

#[derive(Default)]
struct Clients {
    peers: HashMap<ClientId, Peer>,
    groups: HashMap<String, HashSet<ClientId>>,
}

impl Clients {
    /// Visits everybody of `audience`.
    fn each(&self, audience: &Audience, mut visit: impl FnMut(&Peer)) {
        let peer = |id| self.peers.get(id);
        match audience {
            Audience::All => self.peers.values().for_each(visit),
            Audience::Only(id) => peer(id).into_iter().for_each(visit),
            Audience::AllBut(id) => self.peers.iter().filter(|(other, _)| *other != id).for_each(|(_, peer)| visit(peer)),
            Audience::Group(name) => self.groups.get(name).into_iter().flatten().filter_map(peer).for_each(visit),
        }
    }
}

struct Peer {
    wire: &'static dyn WireVersion,
    outbox: Arc<Outbox>,
    interest: Interest,
}

/// Which topics a client receives.
pub(crate) enum Interest {
    /// All of them: the protocol's clients filter for themselves.
    Everything,
    /// Those that it subscribed to, with the number of subscriptions.
    Topics(HashMap<String, usize>),
}

impl Interest {
    fn includes(&self, topic: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Topics(topics) => topics.contains_key(topic),
        }
    }
}

/// Which clients a publication is for.
#[derive(Clone, Debug)]
pub(super) enum Audience {
    All,
    Only(ClientId),
    AllBut(ClientId),
    Group(String),
}

/// The topic of a publication and what may be lost of it.
#[derive(Clone, Copy)]
pub(super) enum Channel<'a> {
    /// Known when the program is compiled.
    Declared { topic: &'static str, delivery: Delivery, key: u64, retain: bool },
    /// Named at run time; nothing is lost.
    Named(&'a str),
}

impl<'a> Channel<'a> {
    const fn topic(self) -> &'a str {
        match self {
            Self::Declared { topic, .. } => topic,
            Self::Named(topic) => topic,
        }
    }
}

impl Hub {
    /// From now on publications are counted.
    pub(crate) fn keep_account(&self, account: Arc<Account>) {
        let _ = self.account.set(account);
    }

    /// Adds a client. One that wants everything gets what the topics retain.
    pub(crate) fn join(&self, id: ClientId, wire: &'static dyn WireVersion, outbox: Arc<Outbox>, interest: Interest) {
        let mut clients = self.change();
        if matches!(interest, Interest::Everything) {
            let retained = self.retained.lock().unwrap_or_else(PoisonError::into_inner);
            retained.values().for_each(|last| outbox.push_reliable(last[wire.index()].clone()));
        }
        clients.peers.insert(id, Peer { wire, outbox, interest });
    }

    pub(crate) fn leave(&self, id: &ClientId) {
        let mut clients = self.change();
        if let Some(peer) = clients.peers.remove(id) {
            peer.outbox.close();
        }
        clients.groups.retain(|_, members| {
            members.remove(id);
            !members.is_empty()
        });
    }

    /// From now on `id` receives `topic`, beginning with what it retains.
    pub(crate) fn subscribe(&self, id: &ClientId, topic: &str) {
        let mut clients = self.change();
        let Some(Peer { wire, outbox, interest: Interest::Topics(topics) }) = clients.peers.get_mut(id) else { return };
        *topics.entry(topic.to_owned()).or_default() += 1;
        let retained = self.retained.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = retained.get(topic) {
            outbox.push_reliable(last[wire.index()].clone());
        }
    }

    /// Takes one subscription back.
    pub(crate) fn unsubscribe(&self, id: &ClientId, topic: &str) {
        let mut clients = self.change();
        let Some(Peer { interest: Interest::Topics(topics), .. }) = clients.peers.get_mut(id) else { return };
        if let Some(count) = topics.get_mut(topic) {
            *count -= 1;
            if *count == 0 {
                topics.remove(topic);
            }
        }
    }

    pub(super) fn enter(&self, id: &ClientId, group: &str) {
        let mut clients = self.change();
        if clients.peers.contains_key(id) {
            clients.groups.entry(group.to_owned()).or_default().insert(id.clone());
        }
    }

    pub(super) fn exit(&self, id: &ClientId, group: &str) {
        let mut clients = self.change();
        if let Some(members) = clients.groups.get_mut(group) {
            members.remove(id);
            if members.is_empty() {
                clients.groups.remove(group);
            }
        }
    }

    /// How many clients there are.
    pub(crate) fn len(&self) -> usize {
        self.read().peers.len()
    }

    /// Ready when every client of `audience` has taken most of what was published.
    pub(super) fn poll_room(&self, audience: &Audience, cx: &mut Context<'_>) -> Poll<()> {
        let mut ready = true;
        self.read().each(audience, |peer| ready = ready && peer.outbox.poll_room(cx).is_ready());
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }

    /// How many clients receive `topic`.
    pub(super) fn subscribers(&self, topic: &str) -> usize {
        self.read().peers.values().filter(|peer| peer.interest.includes(topic)).count()
    }

    /// How many events of `topic` were dropped by its policy, for all clients together.
    pub(super) fn dropped(&self, topic: &str) -> u64 {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).get(topic).copied().unwrap_or(0)
    }

    pub(super) fn publish(&self, audience: &Audience, channel: Channel<'_>, payload: &dyn erased_serde::Serialize) {
        let mut encoded: [Option<Encoded>; wire::ALL.len()] = Default::default();
        let (mut receivers, mut dropped) = (0, 0);
        // The payload's own code runs here, so nobody is to wait for it; who comes with another
        // generation meanwhile is rare enough.
        for wire in self.generations(audience, channel.topic()) {
            encoded[wire.index()] = Some(encode(wire, channel, payload));
        }
        let clients = self.read();
        clients.each(audience, |peer| {
            if !peer.interest.includes(channel.topic()) {
                return;
            }
            let message = encoded[peer.wire.index()].get_or_insert_with(|| encode(peer.wire, channel, payload)).clone();
            receivers += 1;
            match channel {
                Channel::Declared { topic, delivery, key, .. } => dropped += peer.outbox.push(topic, key, delivery, message),
                Channel::Named(_) => peer.outbox.push_reliable(message),
            }
        });
        if let (Channel::Declared { topic, retain: true, .. }, Audience::All) = (channel, audience) {
            let last = wire::ALL.map(|wire| encoded[wire.index()].take().unwrap_or_else(|| encode(wire, channel, payload)));
            // Before the clients are let go, so that whoever comes next gets this one and not the last.
            self.retained.lock().unwrap_or_else(PoisonError::into_inner).insert(topic, last);
        }
        drop(clients);
        match channel {
            Channel::Declared { topic, delivery, .. } => self.published(topic, delivery, receivers, dropped),
            Channel::Named(topic) => {
                if let Some(account) = self.account.get() {
                    account.published(topic, None, receivers, 0);
                }
            }
        }
    }

    /// An event was given to so many clients, for which so many older ones were dropped.
    pub(crate) fn published(&self, topic: &'static str, delivery: Delivery, receivers: usize, dropped: usize) {
        if let Some(account) = self.account.get() {
            account.published(topic, Some(delivery), receivers, dropped);
        }
        if dropped > 0 {
            tracing::debug!(topic, ?delivery, dropped, "dropped events");
            *self.dropped.lock().unwrap_or_else(PoisonError::into_inner).entry(topic).or_default() += dropped as u64;
        }
    }

    /// The generations that those of `audience` speak who receive `topic`.
    fn generations(&self, audience: &Audience, topic: &str) -> impl Iterator<Item = &'static dyn WireVersion> + use<> {
        let mut used = [false; wire::ALL.len()];
        self.read().each(audience, |peer| used[peer.wire.index()] |= peer.interest.includes(topic));
        wire::ALL.into_iter().filter(move |wire| used[wire.index()])
    }

    fn read(&self) -> RwLockReadGuard<'_, Clients> {
        self.clients.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Clients> {
        self.clients.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The frames of an event; when the payload cannot be serialised, those of an error event.
fn encode(wire: &dyn WireVersion, channel: Channel<'_>, payload: &dyn erased_serde::Serialize) -> Encoded {
    let topic = channel.topic();
    let subject = || Subject::Event { topic, subscription: None };
    wire.encode(&Outgoing { subject: subject(), content: Content::Result(payload) }).unwrap_or_else(|error| {
        tracing::warn!(topic, error = error.0, "a payload cannot be serialised");
        let error = CallError::new(ErrorCode::ResultSerialize, "Method result cannot be serialized");
        let outgoing = Outgoing { subject: subject(), content: Content::Error(&error) };
        wire.encode(&outgoing).unwrap_or_else(|_| Encoded::nothing())
    })
}
