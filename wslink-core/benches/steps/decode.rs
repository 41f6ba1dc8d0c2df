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
    wire::{self, Decoder, FrameKind, Request, message::Parts},
};

pub(super) const STEPS: &[Step] = &[
    Step::new("two numbers, v1", || positional(FrameKind::Text, &NUMBERS)),
    Step::new("two numbers, v2", || positional(FrameKind::Binary, &NUMBERS)),
    Step::new("nested, v1", || positional(FrameKind::Text, &[Scene::new()])),
    Step::new("nested, v2", || positional(FrameKind::Binary, &[Scene::new()])),
];

fn positional(generation: FrameKind, arguments: &impl Serialize) -> Run {
    let frame = sample::small_call(generation, Parts { positional: Some(arguments), named: None });
    let mut requests = Requests::new(generation);
    Box::new(move || {
        black_box(requests.next(&frame).unwrap());
    })
}

/// The requests of a client that has said hello. The steps know of decoders what is said here, and no more.
pub(super) struct Requests {
    kind: FrameKind,
    decoder: Box<dyn Decoder>,
}

impl Requests {
    pub(super) fn new(generation: FrameKind) -> Self {
        let mut decoder = wire::detect(generation).decoder(&Limits::default());
        decoder.authenticated();
        Self { kind: generation, decoder }
    }

    /// The request that `frame` completes, if any.
    pub(super) fn next(&mut self, frame: &Bytes) -> Option<Request> {
        self.decoder.next(self.kind, frame.clone()).unwrap()
    }
}
