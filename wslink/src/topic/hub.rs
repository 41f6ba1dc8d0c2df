//! Who receives events: the authenticated clients of one server.
//!
//! Encodes a publication once per wire generation in use and hands the same frames to every outbox.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::{Delivery, Outbox};
use crate::{
    CallError, ClientId, ErrorCode,
    wire::{self, Content, Encoded, Outgoing, Subject, WireVersion},
};

#[derive(Default)]
pub(crate) struct Hub {
    peers: RwLock<HashMap<ClientId, Peer>>,
}

struct Peer {
    wire: &'static dyn WireVersion,
    outbox: Arc<Outbox>,
}

/// Which clients a publication is for.
#[derive(Clone, Debug)]
pub(super) enum Audience {
    All,
    Only(ClientId),
    AllBut(ClientId),
}

/// The topic of a publication and what may be lost of it.
#[derive(Clone, Copy)]
pub(super) enum Channel<'a> {
    /// Known when the program is compiled.
    Declared(&'static str, Delivery),
    /// Named at run time; nothing is lost.
    Named(&'a str),
}

impl Hub {
    pub(crate) fn join(&self, id: ClientId, wire: &'static dyn WireVersion, outbox: Arc<Outbox>) {
        self.peers.write().unwrap_or_else(PoisonError::into_inner).insert(id, Peer { wire, outbox });
    }

    pub(crate) fn leave(&self, id: &ClientId) {
        self.peers.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// How many clients there are.
    pub(crate) fn len(&self) -> usize {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn publish(&self, audience: &Audience, channel: Channel<'_>, payload: &dyn erased_serde::Serialize) {
        let mut encoded: [Option<Encoded>; wire::ALL.len()] = Default::default();
        let mut deliver = |peer: &Peer| {
            let message = encoded[peer.wire.index()].get_or_insert_with(|| encode(peer.wire, channel, payload)).clone();
            match channel {
                Channel::Declared(topic, delivery) => peer.outbox.push(topic, delivery, message),
                Channel::Named(_) => peer.outbox.push_reliable(message),
            }
        };
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        match audience {
            Audience::All => peers.values().for_each(deliver),
            Audience::Only(id) => peers.get(id).into_iter().for_each(&mut deliver),
            Audience::AllBut(id) => peers.iter().filter(|(peer, _)| *peer != id).for_each(|(_, peer)| deliver(peer)),
        }
    }
}

/// The frames of an event; when the payload cannot be serialised, those of an error event.
fn encode(wire: &dyn WireVersion, channel: Channel<'_>, payload: &dyn erased_serde::Serialize) -> Encoded {
    let (Channel::Declared(topic, _) | Channel::Named(topic)) = channel;
    let subject = Subject::Event(topic);
    wire.encode(&Outgoing { subject, content: Content::Result(payload) }).unwrap_or_else(|error| {
        tracing::warn!(topic, error = error.0, "a payload cannot be serialised");
        let error = CallError::new(ErrorCode::ResultSerialize, "Method result cannot be serialized");
        let outgoing = Outgoing { subject: Subject::Event(topic), content: Content::Error(&error) };
        wire.encode(&outgoing).unwrap_or_else(|_| Encoded::nothing())
    })
}
