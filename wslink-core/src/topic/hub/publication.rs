//! One publication on its way to the clients: encoded once for each generation in use, the same frames into every outbox.

use std::sync::Arc;

use super::{Audience, Hub, Retained};
use crate::{
    CallError, ErrorCode,
    topic::{
        Delivery,
        discarded::Discarded,
        guard::{Guard, Restriction},
        peer::{Peer, Sight},
        queue::{Origin, TopicNumber},
    },
    wire::{self, Content, Encoded, Outgoing, Protocol, Subject},
};

/// The topic of a publication and what may be lost of it.
#[derive(Clone, Copy)]
pub(in crate::topic) enum Channel<'a> {
    /// Known when the program is compiled.
    Declared { topic: &'static str, delivery: Delivery, key: u64, retain: bool, require: Option<&'static str> },
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

/// An event for everybody who wants and may see it.
struct Publication<'a> {
    channel: Channel<'a>,
    payload: &'a dyn erased_serde::Serialize,
    /// Its frames, in each generation for which somebody has asked.
    encoded: [Option<Encoded>; wire::ALL.len()],
    restriction: Option<Arc<Restriction>>,
    receivers: usize,
    dropped: usize,
}

impl Publication<'_> {
    fn frames(&mut self, wire: &dyn Protocol) -> &Encoded {
        let Self { channel, payload, encoded, .. } = self;
        encoded[wire.index()].get_or_insert_with(|| encode(wire, *channel, *payload))
    }

    /// Gives it to `peer`, which knows the topic by this `number`.
    fn give(&mut self, peer: &Peer, number: TopicNumber, discarded: &mut Discarded) {
        let message = self.frames(peer.wire).clone();
        let origin = Origin { topic: number, stream: 0, restriction: self.restriction.clone() };
        self.receivers += 1;
        match self.channel {
            Channel::Declared { topic, delivery, key, .. } => {
                self.dropped += peer.outbox.put(origin, (topic, key), delivery, message, discarded);
            }
            Channel::Named(_) => peer.outbox.put_reliable(origin, message, discarded),
        }
    }
}

impl Hub {
    pub(in crate::topic) fn publish(&self, audience: &Audience, channel: Channel<'_>, payload: &dyn erased_serde::Serialize) {
        let sight = match channel {
            Channel::Declared { topic, require, .. } => {
                Sight { topic, require, asked: self.guard.get().is_some_and(Guard::asks) }
            }
            Channel::Named(topic) => self.sight(topic),
        };
        self.decide_all(audience, sight.topic);
        let restriction = (sight.asked || sight.require.is_some())
            .then(|| Arc::new(Restriction { topic: sight.topic.into(), require: sight.require }));
        let mut publication =
            Publication { channel, payload, encoded: Default::default(), restriction, receivers: 0, dropped: 0 };
        // The payload's own code runs here, so nobody is to wait for it; who comes with another
        // generation meanwhile is rare enough.
        for wire in self.generations(audience, sight) {
            publication.frames(wire);
        }
        let last = match (channel, audience) {
            (Channel::Declared { topic, retain: true, require, .. }, Audience::All) => {
                let frames = wire::ALL.map(|wire| publication.frames(wire).clone());
                Some((topic, Retained { require, restriction: publication.restriction.clone(), frames }))
            }
            _ => None,
        };
        let mut undecided = Vec::new();
        let mut discarded = Discarded::default();
        let clients = self.read();
        // Of two that are published at once, the last one for whoever is here is the one for whoever comes next.
        let retained = last.map(|last| (last, self.retained()));
        clients.each(audience, |peer| match peer.receives(sight) {
            Some(number) => publication.give(peer, number, &mut discarded),
            None if sight.asked && peer.is_undecided(sight.topic) => undecided.push((peer.client.clone(), peer.wire)),
            None => {}
        });
        if let Some(((topic, last), mut retained)) = retained {
            discarded.other(retained.insert(topic, last));
        }
        drop(clients);
        drop(discarded);
        // What the application said of them has been forgotten since it was asked.
        for (client, wire) in undecided {
            if !self.guard.get().is_some_and(|guard| self.decide(guard, &client, sight.topic)) {
                continue;
            }
            publication.frames(wire);
            let mut discarded = Discarded::default();
            let clients = self.read();
            if let Some(peer) = clients.peers.get(client.id())
                && let Some(number) = peer.receives(Sight { asked: false, ..sight })
            {
                publication.give(peer, number, &mut discarded);
            }
        }
        let Publication { receivers, dropped, .. } = publication;
        match channel {
            Channel::Declared { topic, delivery, .. } => self.published(topic, delivery, receivers, dropped),
            Channel::Named(topic) => {
                if let Some(account) = self.account.get() {
                    account.published(topic, None, receivers, 0);
                }
            }
        }
    }

    /// Asks the application about everybody of `audience` who wants `topic` and of whom it has not said yet.
    fn decide_all(&self, audience: &Audience, topic: &str) {
        let Some(guard) = self.guard.get().filter(|guard| guard.asks()) else { return };
        let mut open = Vec::new();
        self.read().each(audience, |peer| {
            if peer.is_undecided(topic) {
                open.push(peer.client.clone());
            }
        });
        for client in open {
            self.decide(guard, &client, topic);
        }
    }

    /// The generations that those of `audience` speak who receive the topic.
    fn generations(&self, audience: &Audience, sight: Sight<'_>) -> impl Iterator<Item = &'static dyn Protocol> + use<> {
        let mut used = [false; wire::ALL.len()];
        self.read().each(audience, |peer| used[peer.wire.index()] |= peer.receives(sight).is_some());
        wire::ALL.into_iter().filter(move |wire| used[wire.index()])
    }
}

/// The frames of an event; when the payload cannot be serialised, those of an error event.
fn encode(wire: &dyn Protocol, channel: Channel<'_>, payload: &dyn erased_serde::Serialize) -> Encoded {
    let topic = channel.topic();
    let subject = || Subject::Event { topic, subscription: None };
    wire.encode(&Outgoing { subject: subject(), content: Content::Result(payload) }).unwrap_or_else(|error| {
        tracing::warn!(topic, error = error.0, "a payload cannot be serialised");
        let error = CallError::new(ErrorCode::ResultSerialize, "Method result cannot be serialized");
        let outgoing = Outgoing { subject: subject(), content: Content::Error(&error) };
        wire.encode(&outgoing).unwrap_or_else(|_| Encoded::nothing())
    })
}
