//! An encoded message: frames ready for any number of sockets. Cheap to clone and never changed, so
//! one publication is encoded once and shared by all its receivers.

use std::sync::Arc;

use bytes::Bytes;

use super::FrameKind;
use crate::error::{ErrorCode, Outcome};

/// One WebSocket data frame: `head` and `body` follow each other on the wire.
///
/// Small payloads live in `head`; large attachments stay in `body`, in the buffer they came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Text or binary.
    pub kind: FrameKind,
    /// The beginning of the payload.
    pub head: Bytes,
    /// The rest of the payload, shared where it is an attachment.
    pub body: Bytes,
}

impl Frame {
    /// A frame whose payload is in one piece.
    pub fn new(kind: FrameKind, head: impl Into<Bytes>) -> Self {
        Self { kind, head: head.into(), body: Bytes::new() }
    }

    /// Bytes of the payload.
    pub fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// Whether it has no payload.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The frames of one message.
#[derive(Clone, Debug)]
pub struct Encoded {
    frames: Frames,
    len: usize,
    divisible: bool,
    /// What it says of its call, when it answers one.
    outcome: Outcome,
}

#[derive(Clone, Debug)]
enum Frames {
    One(Frame),
    Many(Arc<[Frame]>),
}

impl Encoded {
    /// What is left when not even an error can be encoded.
    pub fn nothing() -> Self {
        Self::indivisible(Vec::new())
    }

    /// A message of a single frame.
    pub fn one(frame: Frame) -> Self {
        Self { len: frame.len(), frames: Frames::One(frame), divisible: false, outcome: Outcome::Ok }
    }

    /// A message whose frames must follow each other with nothing between them.
    pub fn indivisible(frames: Vec<Frame>) -> Self {
        let len = frames.iter().map(Frame::len).sum();
        Self { len, frames: Frames::Many(frames.into()), divisible: false, outcome: Outcome::Ok }
    }

    /// A message between whose frames others may be sent.
    pub fn divisible(frames: Vec<Frame>) -> Self {
        Self { divisible: true, ..Self::indivisible(frames) }
    }

    /// The same message, which answers a call that failed.
    pub fn failed(self, code: ErrorCode) -> Self {
        Self { outcome: code.into(), ..self }
    }

    /// The outcome of the call that it answers, for the statistics.
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Payload bytes of all its frames.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no payload.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether other messages may go between its frames.
    pub const fn is_divisible(&self) -> bool {
        self.divisible
    }

    /// The frame of a message that has only one.
    pub fn into_frame(self) -> Result<Frame, Self> {
        match self.frames {
            Frames::One(frame) => Ok(frame),
            Frames::Many(_) => Err(self),
        }
    }

    /// Its frames, in order.
    pub fn frames(&self) -> &[Frame] {
        match &self.frames {
            Frames::One(frame) => std::slice::from_ref(frame),
            Frames::Many(frames) => frames,
        }
    }
}
