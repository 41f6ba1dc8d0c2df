//! Looks at the messages that reach a client before its session does: what no session lets its program see.

use std::collections::HashSet;

use bytes::Bytes;
use wslink_core::{
    Limits,
    wire::{Decoder, FrameKind, Message, Protocol, Received},
};

use super::topics::STREAMS;

pub(crate) struct Watch {
    decoder: Box<dyn Decoder>,
    /// The requests that are answered.
    answered: HashSet<u64>,
    /// The subscriptions to topics that got the value that their topic retains.
    began: HashSet<u64>,
    ended: HashSet<u64>,
}

impl Watch {
    pub(crate) fn new(protocol: &dyn Protocol) -> Self {
        let mut decoder = protocol.decoder(&Limits::default());
        decoder.authenticated();
        Self { decoder, answered: HashSet::new(), began: HashSet::new(), ended: HashSet::new() }
    }

    pub(crate) fn see(&mut self, kind: FrameKind, payload: Bytes) {
        let mut incoming = self.decoder.blank();
        let message = self.decoder.decode(kind, payload, &mut incoming).expect("servers keep to the protocol");
        match message {
            None => {}
            Some(Message::Reply { number, content: Received::Progress(_) }) => {
                assert!(!self.answered.contains(&number), "progress of request {number} after its reply");
            }
            Some(Message::Reply { number, .. }) => {
                assert!(self.answered.insert(number), "request {number} is answered twice");
            }
            Some(Message::Event { subscription: None, .. }) => {}
            Some(Message::Event { topic, subscription: Some(number), content }) => {
                assert!(!self.ended.contains(&number), "an event of stream {number} after its end");
                if STREAMS.iter().any(|(uri, _)| *uri == topic) {
                    if content == Received::End {
                        self.ended.insert(number);
                    }
                } else {
                    assert!(self.began.insert(number), "subscription {number} begins a second time");
                }
            }
            Some(message) => panic!("not for a client: {message:?}"),
        }
    }
}
