//! From the payload of a frame to a request: the scan of the whole message.

use std::hint::black_box;

use bytes::Bytes;
use serde::Serialize;

use super::{
    Run, Step,
    sample::{self, NUMBERS, Scene},
};
use wslink_core::{
    Limits,
    wire::{Decoder, Incoming, Parts, Protocol, V1, V2},
};

pub(super) const STEPS: &[Step] = &[
    Step::new("two numbers, v1", || positional(V1, &NUMBERS)),
    Step::new("two numbers, v2", || positional(V2, &NUMBERS)),
    Step::new("nested, v1", || positional(V1, &[Scene::new()])),
    Step::new("nested, v2", || positional(V2, &[Scene::new()])),
];

fn positional(protocol: &'static dyn Protocol, arguments: &impl Serialize) -> Run {
    let frame = sample::small_call(protocol, Parts { positional: Some(arguments), named: None });
    let mut requests = Requests::new(protocol);
    Box::new(move || {
        black_box(requests.next(&frame).unwrap());
    })
}

/// The requests of a client that has said hello. The steps know of decoders what is said here, and no more.
pub(super) struct Requests {
    protocol: &'static dyn Protocol,
    decoder: Box<dyn Decoder>,
}

impl Requests {
    pub(super) fn new(protocol: &'static dyn Protocol) -> Self {
        let mut decoder = protocol.decoder(&Limits::default());
        decoder.authenticated();
        Self { protocol, decoder }
    }

    /// The request that `frame` completes, if any.
    pub(super) fn next(&mut self, frame: &Bytes) -> Option<Incoming> {
        let mut incoming = self.decoder.blank();
        let message = self.decoder.decode(self.protocol.first_frame(), frame.clone(), &mut incoming).unwrap();
        message.map(|_| incoming)
    }
}
