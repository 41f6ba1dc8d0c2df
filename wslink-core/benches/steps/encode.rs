//! From a result to the frames of a reply.

use std::hint::black_box;

use serde::Serialize;

use super::{
    Run, Step,
    sample::{self, NUMBERS, Scene},
};
use wslink_core::wire::{self, Content, FrameKind, Outgoing, RequestId, Subject};

pub(super) const STEPS: &[Step] = &[
    Step::new("number, v1", || reply(FrameKind::Text, NUMBERS.0)),
    Step::new("number, v2", || reply(FrameKind::Binary, NUMBERS.0)),
    Step::new("nested, v1", || reply(FrameKind::Text, Scene::new())),
    Step::new("nested, v2", || reply(FrameKind::Binary, Scene::new())),
    // Shared, so that its size costs next to nothing.
    Step::new("attachment of 1 MiB, v1", || reply(FrameKind::Text, sample::attachment())),
    Step::new("attachment of 1 MiB, v2", || reply(FrameKind::Binary, sample::attachment())),
];

fn reply(generation: FrameKind, result: impl Serialize + 'static) -> Run {
    let wire = wire::detect(generation);
    let id = RequestId::new(match generation {
        FrameKind::Text => b"\"rpc:c0:1\"",
        FrameKind::Binary => b"\xa8rpc:c0:1",
    });
    Box::new(move || {
        let outgoing = Outgoing { subject: Subject::Reply(&id), content: Content::Result(&result) };
        black_box(wire.encode(&outgoing).unwrap());
    })
}
