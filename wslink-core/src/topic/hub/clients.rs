//! The clients of a server: by their ids, by the topics that they receive and by their groups.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    ClientId,
    topic::{
        Interest, Outbox,
        discarded::Discarded,
        event::{Source, TopicNumber},
        protocols::{PerProtocol, Places},
        resumption::Away,
        subscriber::Subscriber,
    },
};

/// A client's place in the list of them, for as long as it is known.
type Slot = usize;

#[derive(Default)]
pub(in crate::topic) struct Clients {
    slots: Vec<Option<Subscriber>>,
    free: Vec<Slot>,
    ids: HashMap<ClientId, Slot>,
    /// The protocols that clients speak or spoke.
    pub(super) protocols: Places,
    /// Those that want everything.
    everything: Receivers<()>,
    topics: HashMap<Arc<str>, Receivers<TopicNumber>>,
    groups: HashMap<Arc<str>, BTreeSet<Slot>>,
    pub(in crate::topic) away: Away,
}

/// Which clients receive something.
#[derive(Default)]
struct Receivers<T> {
    slots: BTreeMap<Slot, T>,
    /// How many of them speak each version of the protocol.
    wires: PerProtocol<usize>,
}

impl<T> Receivers<T> {
    fn add(&mut self, slot: Slot, value: T, wire: usize) {
        if self.slots.insert(slot, value).is_none() {
            self.wires[wire] += 1;
        }
    }

    fn remove(&mut self, slot: Slot, wire: usize) {
        if self.slots.remove(&slot).is_some() {
            self.wires[wire] -= 1;
        }
    }
}

impl Clients {
    pub(in crate::topic) fn get(&self, id: &str) -> Option<&Subscriber> {
        self.slots.get(*self.ids.get(id)?)?.as_ref()
    }

    pub(in crate::topic) fn get_mut(&mut self, id: &str) -> Option<&mut Subscriber> {
        self.slots.get_mut(*self.ids.get(id)?)?.as_mut()
    }

    /// The client, if `outbox` is that of its connection, and not of one that it had before.
    pub(in crate::topic) fn of(&mut self, id: &ClientId, outbox: &Arc<Outbox>) -> Option<&mut Subscriber> {
        self.get_mut(id.as_str()).filter(|peer| Arc::ptr_eq(&peer.outbox, outbox))
    }

    /// Adds a client that is not known and has no subscription.
    pub(in crate::topic) fn insert(&mut self, peer: Subscriber) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        if matches!(peer.interest, Interest::Everything) {
            self.everything.add(slot, (), peer.wire.place);
        }
        self.ids.insert(peer.client.id().clone(), slot);
        self.slots[slot] = Some(peer);
    }

    /// Removes a client.
    pub(in crate::topic) fn remove(&mut self, id: &ClientId, discarded: &mut Discarded) {
        let Some(slot) = self.ids.remove(id) else { return };
        let Some(peer) = self.slots.get_mut(slot).and_then(Option::take) else { return };
        self.free.push(slot);
        let wire = peer.wire.place;
        match &peer.interest {
            Interest::Everything => self.everything.remove(slot, wire),
            Interest::Topics(topics) => topics.names().for_each(|(_, topic)| leave(&mut self.topics, topic, slot, wire)),
        }
        peer.groups.iter().for_each(|group| exit(&mut self.groups, group, slot));
        peer.outbox.close(discarded);
        discarded.other(peer);
    }

    /// The client with that outbox has another subscription. Returns the client.
    pub(super) fn subscribe(
        &mut self,
        id: &ClientId,
        outbox: &Arc<Outbox>,
        topic: &str,
        subscription: u64,
    ) -> Option<&Subscriber> {
        let slot = *self.ids.get(id)?;
        let peer = self.slots.get_mut(slot)?.as_mut().filter(|peer| Arc::ptr_eq(&peer.outbox, outbox))?;
        let Interest::Topics(topics) = &mut peer.interest else { return None };
        let name = self.topics.get_key_value(topic).map_or_else(|| topic.into(), |(name, _)| Arc::clone(name));
        if let (number, true) = topics.add(&name, subscription) {
            self.topics.entry(name).or_default().add(slot, number, peer.wire.place);
        }
        Some(peer)
    }

    /// The client with that outbox has a subscription less.
    pub(in crate::topic) fn unsubscribe(&mut self, id: &ClientId, outbox: &Arc<Outbox>, topic: &str, subscription: u64) {
        let Some(&slot) = self.ids.get(id) else { return };
        let peer = self.slots.get_mut(slot).and_then(Option::as_mut).filter(|peer| Arc::ptr_eq(&peer.outbox, outbox));
        let Some(Subscriber { interest: Interest::Topics(topics), wire, .. }) = peer else { return };
        if topics.remove(topic, subscription) {
            leave(&mut self.topics, topic, slot, wire.place);
        }
    }

    pub(super) fn enter(&mut self, id: &ClientId, group: &str) {
        let Some(&slot) = self.ids.get(id) else { return };
        let Some(peer) = self.slots.get_mut(slot).and_then(Option::as_mut) else { return };
        let name = self.groups.get_key_value(group).map_or_else(|| group.into(), |(name, _)| Arc::clone(name));
        if self.groups.entry(Arc::clone(&name)).or_default().insert(slot) {
            peer.groups.push(name);
        }
    }

    pub(super) fn exit(&mut self, id: &ClientId, group: &str) {
        let Some(&slot) = self.ids.get(id) else { return };
        if let Some(peer) = self.slots.get_mut(slot).and_then(Option::as_mut) {
            peer.groups.retain(|name| **name != *group);
            exit(&mut self.groups, group, slot);
        }
    }

    /// Visits everybody of `audience`, those who are away included.
    pub(super) fn each(&self, audience: &Audience, mut visit: impl FnMut(&Subscriber)) {
        match audience {
            Audience::All => self.slots.iter().flatten().for_each(visit),
            Audience::To(id) => self.get(id.as_str()).into_iter().for_each(visit),
            Audience::Except(id) => {
                self.slots.iter().flatten().filter(|peer| peer.client.id() != id).for_each(visit);
            }
            Audience::Group(name) => self.members(name).for_each(|(_, peer)| visit(peer)),
            Audience::Principal(name) => {
                self.slots.iter().flatten().filter(|peer| peer.client.principal().name() == name).for_each(visit);
            }
        }
    }

    /// Those who want `topic`.
    #[inline]
    pub(super) fn receivers(&self, topic: &str) -> TopicReceivers<'_> {
        TopicReceivers { clients: self, of_topic: self.topics.get(topic) }
    }

    fn peer(&self, slot: Slot) -> Option<&Subscriber> {
        self.slots.get(slot)?.as_ref()
    }

    fn members(&self, group: &str) -> impl Iterator<Item = (Slot, &Subscriber)> {
        let members = self.groups.get(group).into_iter().flatten();
        members.filter_map(|slot| Some((*slot, self.peer(*slot)?)))
    }
}

/// The clients that want a topic.
#[derive(Clone, Copy)]
pub(super) struct TopicReceivers<'c> {
    clients: &'c Clients,
    of_topic: Option<&'c Receivers<TopicNumber>>,
}

impl TopicReceivers<'_> {
    /// Visits those of `audience`, the ones who are away included.
    pub(super) fn each(&self, audience: &Audience, mut visit: impl FnMut(&Subscriber, Source)) {
        let Self { clients, of_topic } = *self;
        let of = |slot| match of_topic.and_then(|receivers| receivers.slots.get(&slot)) {
            Some(number) => Some(Source::Topic(*number)),
            None => clients.everything.slots.contains_key(&slot).then_some(Source::Uncounted),
        };
        let except = match audience {
            Audience::To(id) => {
                if let Some(slot) = clients.ids.get(id)
                    && let (Some(peer), Some(source)) = (clients.peer(*slot), of(*slot))
                {
                    visit(peer, source);
                }
                return;
            }
            Audience::Group(name) => {
                for (slot, peer) in clients.members(name) {
                    if let Some(source) = of(slot) {
                        visit(peer, source);
                    }
                }
                return;
            }
            Audience::All | Audience::Principal(_) => None,
            Audience::Except(id) => clients.ids.get(id).copied(),
        };
        let name = if let Audience::Principal(name) = audience { Some(&**name) } else { None };
        let mut visit = |slot, source| {
            if Some(slot) != except
                && let Some(peer) = clients.peer(slot)
                && name.is_none_or(|name| peer.client.principal().name() == name)
            {
                visit(peer, source);
            }
        };
        for (slot, number) in of_topic.iter().flat_map(|receivers| &receivers.slots) {
            visit(*slot, Source::Topic(*number));
        }
        for slot in clients.everything.slots.keys() {
            visit(*slot, Source::Uncounted);
        }
    }

    /// The versions of the protocol that those of `audience` speak, and perhaps others.
    pub(super) fn wires(&self, audience: &Audience) -> PerProtocol<bool> {
        let Self { clients, of_topic } = *self;
        if let Audience::To(id) = audience {
            let spoken = clients.get(id.as_str()).map(|peer| peer.wire.place);
            return std::array::from_fn(|index| Some(index) == spoken);
        }
        std::array::from_fn(|index| {
            clients.everything.wires[index] > 0 || of_topic.is_some_and(|receivers| receivers.wires[index] > 0)
        })
    }
}

fn leave(topics: &mut HashMap<Arc<str>, Receivers<TopicNumber>>, topic: &str, slot: Slot, wire: usize) {
    let Some(receivers) = topics.get_mut(topic) else { return };
    receivers.remove(slot, wire);
    if receivers.slots.is_empty() {
        topics.remove(topic);
    }
}

fn exit(groups: &mut HashMap<Arc<str>, BTreeSet<Slot>>, group: &str, slot: Slot) {
    let Some(members) = groups.get_mut(group) else { return };
    members.remove(&slot);
    if members.is_empty() {
        groups.remove(group);
    }
}

/// Which clients a publication is for.
#[derive(Clone, Debug)]
pub(in crate::topic) enum Audience {
    All,
    To(ClientId),
    Except(ClientId),
    Group(String),
    Principal(String),
}

#[cfg(test)]
impl Clients {
    /// How much there is of what belongs to clients: their places, topics and groups.
    pub(super) fn sizes(&self) -> [usize; 4] {
        [self.slots.iter().flatten().count(), self.everything.slots.len(), self.topics.len(), self.groups.len()]
    }
}
