//! One publication on its way to the clients: encoded once for each generation in use, the same frames into every outbox.

use super::{Audience, Hub, Retained};
use crate::{
    CallError, ErrorCode,
    topic::{
        Delivery,
        guard::Guard,
        peer::{Peer, Sight},
        queue::TopicNumber,
    },
    wire::{self, Content, Encoded, Outgoing, Subject, WireVersion},
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
    receivers: usize,
    dropped: usize,
}

impl Publication<'_> {
    fn frames(&mut self, wire: &dyn WireVersion) -> &Encoded {
        let Self { channel, payload, encoded, .. } = self;
        encoded[wire.index()].get_or_insert_with(|| encode(wire, *channel, *payload))
    }

    /// Gives it to `peer`, which knows the topic by this `number`.
    fn give(&mut self, peer: &Peer, number: TopicNumber) {
        let message = self.frames(peer.wire).clone();
        self.receivers += 1;
        match self.channel {
            Channel::Declared { topic, delivery, key, .. } => {
                self.dropped += peer.outbox.push(number, topic, key, delivery, message);
            }
            Channel::Named(_) => peer.outbox.push_reliable(number, message),
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
        let mut publication = Publication { channel, payload, encoded: Default::default(), receivers: 0, dropped: 0 };
        // The payload's own code runs here, so nobody is to wait for it; who comes with another
        // generation meanwhile is rare enough.
        for wire in self.generations(audience, sight) {
            publication.frames(wire);
        }
        let last = match (channel, audience) {
            (Channel::Declared { topic, retain: true, require, .. }, Audience::All) => {
                Some((topic, Retained { require, frames: wire::ALL.map(|wire| publication.frames(wire).clone()) }))
            }
            _ => None,
        };
        let mut undecided = Vec::new();
        let clients = self.read();
        // Of two that are published at once, the last one for whoever is here is the one for whoever comes next.
        let retained = last.map(|last| (last, self.retained()));
        clients.each(audience, |peer| match peer.receives(sight) {
            Some(number) => publication.give(peer, number),
            None if sight.asked && peer.is_undecided(sight.topic) => undecided.push((peer.client.clone(), peer.wire)),
            None => {}
        });
        if let Some(((topic, last), mut retained)) = retained {
            retained.insert(topic, last);
        }
        drop(clients);
        // What the application said of them has been forgotten since it was asked.
        for (client, wire) in undecided {
            if !self.guard.get().is_some_and(|guard| self.decide(guard, &client, sight.topic)) {
                continue;
            }
            publication.frames(wire);
            let clients = self.read();
            if let Some(peer) = clients.peers.get(client.id())
                && let Some(number) = peer.receives(Sight { asked: false, ..sight })
            {
                publication.give(peer, number);
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
    fn generations(&self, audience: &Audience, sight: Sight<'_>) -> impl Iterator<Item = &'static dyn WireVersion> + use<> {
        let mut used = [false; wire::ALL.len()];
        self.read().each(audience, |peer| used[peer.wire.index()] |= peer.receives(sight).is_some());
        wire::ALL.into_iter().filter(move |wire| used[wire.index()])
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

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        task::{Wake, Waker},
    };

    use super::*;
    use crate::{
        Client, ClientId, Handshake, Principal,
        topic::{Interest, Outbox},
    };

    const KEPT: Channel<'_> =
        Channel::Declared { topic: "a.b", delivery: Delivery::Reliable, key: 0, retain: true, require: None };

    /// Sees whether somebody would have to wait for it.
    struct Payload<'a>(&'a Hub);

    impl serde::Serialize for Payload<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            assert!(self.0.clients.try_write().is_ok() && self.0.retained.try_lock().is_ok());
            serializer.serialize_unit()
        }
    }

    #[test]
    fn nobody_waits_for_the_payload_of_somebody_else() {
        let hub = Hub::default();
        hub.publish(&Audience::All, KEPT, &Payload(&hub));
        assert_eq!(hub.retained().len(), 1);
    }

    /// Is woken between the moments at which an event is given to a client and to the publisher.
    struct Between(Arc<Hub>, AtomicBool);

    impl Wake for Between {
        fn wake(self: Arc<Self>) {
            self.1.store(self.0.retained.try_lock().is_err(), Ordering::Relaxed);
        }
    }

    #[test]
    fn no_other_event_comes_between_the_clients_and_what_is_retained() {
        let hub = Arc::new(Hub::default());
        let between = Arc::new(Between(Arc::clone(&hub), AtomicBool::new(false)));
        let outbox = Arc::new(Outbox::new(1000));
        outbox.register(&Waker::from(Arc::clone(&between)));
        let client = Client::new(ClientId::random().unwrap(), Handshake::default(), Principal::default());
        hub.join(client, wire::ALL[0], outbox, Interest::Everything);
        hub.publish(&Audience::All, KEPT, &1);
        assert!(between.1.load(Ordering::Relaxed));
    }
}
