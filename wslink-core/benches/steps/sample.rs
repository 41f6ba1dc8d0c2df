//! What is sent in the steps: a small request, a nested value, binary data.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use wslink_core::{
    Attachment, Secret, Value,
    wire::{Encoded, Frame, FrameKind, Parts, Protocol, Target},
};

/// A large piece of binary data.
pub(super) const MIB: usize = 1 << 20;

/// The method of every call.
pub(super) const METHOD: &str = "probe.add";

/// Two numbers.
pub(super) const NUMBERS: (f64, u32) = (1.5, 2);

/// About a kilobyte with something of everything.
#[derive(Deserialize, Serialize)]
pub(super) struct Scene {
    name: String,
    visible: bool,
    camera: Option<[f64; 3]>,
    parts: Vec<Part>,
}

#[derive(Deserialize, Serialize)]
struct Part {
    id: u32,
    label: String,
    opacity: f32,
}

impl Scene {
    pub(super) fn new() -> Self {
        let part = |id| Part { id, label: format!("part {id}"), opacity: 0.5 };
        Self { name: "a scene".to_owned(), visible: true, camera: Some([0.0, -1.5, 1e10]), parts: (0..20).map(part).collect() }
    }
}

pub(super) fn attachment() -> Attachment {
    vec![7; MIB].into()
}

/// The payloads of the frames of a call, none larger than `max_frame`.
pub(super) fn call(protocol: &dyn Protocol, arguments: Parts<'_>, max_frame: usize) -> Vec<Bytes> {
    request(protocol, Target::Method(METHOD), arguments, max_frame)
}

/// The payload of a call that is one frame.
pub(super) fn small_call(protocol: &dyn Protocol, arguments: Parts<'_>) -> Bytes {
    only(call(protocol, arguments, usize::MAX))
}

/// The payload of a hello.
pub(super) fn hello(protocol: &dyn Protocol) -> Bytes {
    let secret = [Value::map([("secret", Secret::published().reveal())])];
    only(request(protocol, Target::Hello, Parts { positional: Some(&secret), named: None }, usize::MAX))
}

fn request(protocol: &dyn Protocol, target: Target<'_>, arguments: Parts<'_>, max_frame: usize) -> Vec<Bytes> {
    let request = protocol.draft(target, arguments).unwrap().seal(1, None, max_frame);
    request.frames().iter().map(|frame| [&*frame.head, &*frame.body].concat().into()).collect()
}

fn only(frames: Vec<Bytes>) -> Bytes {
    let [frame] = <[Bytes; 1]>::try_from(frames).unwrap();
    frame
}

/// A message as small as most.
pub(super) fn small_message() -> Encoded {
    Encoded::one(small_frame())
}

/// Its frame.
pub(super) fn small_frame() -> Frame {
    Frame::new(FrameKind::Binary, vec![7; 64])
}

/// A part of what is large: a header, and a body that is shared.
pub(super) fn chunk(bytes: usize) -> Frame {
    Frame { kind: FrameKind::Binary, head: vec![7; 12].into(), body: vec![7; bytes].into() }
}
