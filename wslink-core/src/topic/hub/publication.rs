//! One publication on its way to the clients: encoded once for each version of the protocol in use, the same frames
//! into every outbox.

use std::sync::Arc;

use super::{Audience, Hub, clients::TopicReceivers, retained::Retained};
use crate::{
    CallError, ErrorCode,
    topic::{
        Delivery,
        authorization::Guard,
        discarded::Discarded,
        event::Event,
        protocols::{BASE, PerProtocol, Spoken},
        subscriber::Visibility,
    },
    wire::{Content, Encoded, Outgoing, Protocol, Subject},
};

/// The topic of a publication and what may be lost of it.
#[derive(Clone, Copy)]
pub(in crate::topic) enum Channel<'a> {
    /// Known when the program is compiled.
    Declared { topic: &'static str, delivery: Delivery, key: u64, retain: bool, require: Option<&'static str> },
    /// Named at run time; nothing is lost.
    Named(&'a str),
}

/// How often the application is asked for one publication about clients that it has reconsidered meanwhile.
const ROUNDS: usize = 8;

impl Hub {
    pub(in crate::topic) fn publish(&self, audience: &Audience, channel: Channel<'_>, payload: &dyn erased_serde::Serialize) {
        let (visibility, lane, delivery, retain) = match channel {
            Channel::Declared { topic, delivery, key, retain, require } => {
                let asked = self.guard.get().is_some_and(Guard::asks);
                let retain = retain.then_some(topic).filter(|_| matches!(audience, Audience::All));
                (Visibility { topic, require, asked }, (topic, key), delivery, retain)
            }
            Channel::Named(topic) => (self.visibility(topic), ("", 0), Delivery::Reliable, None),
        };
        let restriction = visibility.restriction();
        let mut encoded: PerProtocol<Option<Encoded>> = Default::default();
        let (mut receivers, mut dropped) = (0, 0);
        let mut rounds = 0;
        let mut discarded = Discarded::default();
        loop {
            let clients = self.read();
            let interested = clients.receivers(visibility.topic);
            let mut needed = interested.wires(audience);
            needed[BASE] |= retain.is_some();
            let protocols = clients.protocols;
            let undecided =
                if visibility.asked && rounds < ROUNDS { undecided(interested, audience, visibility.topic) } else { Vec::new() };
            if !undecided.is_empty() || needed.iter().zip(&encoded).any(|(needed, encoded)| *needed && encoded.is_none()) {
                // The payload's own code runs here, and that of the application, so nobody is to wait for it.
                drop(clients);
                rounds += 1;
                if let Some(guard) = self.guard.get() {
                    undecided.iter().for_each(|client| _ = self.decide(guard, client, visibility.topic));
                }
                for Spoken { protocol, place } in protocols.iter().filter(|spoken| needed[spoken.place]) {
                    encoded[place].get_or_insert_with(|| encode(protocol, visibility.topic, None, payload));
                }
                continue;
            }
            // Of all that are published on this topic, every client gets them in one order, the last of which is retained.
            let _order = self.order(visibility.topic);
            interested.each(audience, |peer, source| {
                let Some(message) = encoded[peer.wire.place].as_ref().filter(|_| peer.may_see(visibility)) else { return };
                let event = Event::new(source, message.clone()).restricted(restriction.clone());
                receivers += 1;
                dropped += peer.outbox.put(lane, delivery, event, &mut discarded);
            });
            if let Some(topic) = retain {
                let last = Retained::new(topic, visibility.require, restriction, encoded);
                discarded.other(self.retained().insert(topic, Arc::new(last)));
            }
            break;
        }
        drop(discarded);
        match channel {
            Channel::Declared { topic, .. } => self.published(topic, delivery, receivers, dropped),
            Channel::Named(topic) => {
                if let Some(telemetry) = self.telemetry.get() {
                    telemetry.published(topic, None, receivers, 0);
                }
            }
        }
        self.keep_to_budget();
    }
}

/// Those of `audience` who want `topic` and of whom the application has not said whether they may see it.
pub(super) fn undecided(interested: TopicReceivers<'_>, audience: &Audience, topic: &str) -> Vec<crate::Client> {
    let mut undecided = Vec::new();
    interested.each(audience, |peer, _| {
        if peer.decisions.of(topic).is_none() {
            undecided.push(peer.client.clone());
        }
    });
    undecided
}

/// The frames of an event; when the payload cannot be serialised, those of an error event.
pub(super) fn encode(
    wire: &dyn Protocol,
    topic: &str,
    subscription: Option<u64>,
    payload: &dyn erased_serde::Serialize,
) -> Encoded {
    let subject = || Subject::Event { topic, subscription };
    wire.encode(&Outgoing { subject: subject(), content: Content::Result(payload) }).unwrap_or_else(|error| {
        tracing::warn!(topic, error = error.0, "a payload cannot be serialised");
        let error = CallError::new(ErrorCode::ResultSerialize, "Method result cannot be serialized");
        let outgoing = Outgoing { subject: subject(), content: Content::Error(&error) };
        wire.encode(&outgoing).unwrap_or_else(|_| Encoded::nothing())
    })
}
