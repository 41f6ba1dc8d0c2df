//! From a result to the frames of a reply.

use std::hint::black_box;

use serde::Serialize;

use super::{
    Run, Step,
    sample::{self, NUMBERS, Scene},
};
use wslink_core::wire::{Content, FrameKind, MessageId, Outgoing, Protocol, Subject, V1, V2};

pub(super) const STEPS: &[Step] = &[
    Step::new("number, v1", || reply(V1, NUMBERS.0)),
    Step::new("number, v2", || reply(V2, NUMBERS.0)),
    Step::new("nested, v1", || reply(V1, Scene::new())),
    Step::new("nested, v2", || reply(V2, Scene::new())),
    // Shared, so that its size costs next to nothing.
    Step::new("attachment of 1 MiB, v1", || reply(V1, sample::attachment())),
    Step::new("attachment of 1 MiB, v2", || reply(V2, sample::attachment())),
];

fn reply(protocol: &'static dyn Protocol, result: impl Serialize + 'static) -> Run {
    let id = MessageId::new(match protocol.first_frame() {
        FrameKind::Text => &b"\"rpc:c0:1\""[..],
        FrameKind::Binary => b"\xa8rpc:c0:1",
    });
    Box::new(move || {
        let outgoing = Outgoing { subject: Subject::Reply(&id), content: Content::Result(&result) };
        black_box(protocol.encode(&outgoing).unwrap());
    })
}
