//! What messages look like on a WebSocket: one folder per protocol generation, each exporting one
//! static that [`ALL`] lists.
//!
//! Turns frames into [`Request`]s and replies into [`Encoded`] frames. Knows nothing of sockets,
//! methods or clients.

use bytes::Bytes;

pub(crate) use self::encoded::Encoded;
pub(crate) use self::v2::joined;
pub(crate) use self::{
    encoded::Frame,
    request::{Arguments, Request, RequestId, Span},
};
use crate::{CallError, Limits};

mod encoded;
#[cfg(feature = "client")]
pub(crate) mod message;
mod request;
mod v1;
mod v2;

/// Every generation that a server speaks. A new one is a folder here and a line in this list.
pub(crate) const ALL: [&dyn WireVersion; 2] = [&v1::V1, &v2::V2];

/// The generation whose connections begin with a frame of this kind.
pub(crate) fn detect(first: FrameKind) -> &'static dyn WireVersion {
    match first {
        FrameKind::Text => ALL[0],
        FrameKind::Binary => ALL[1],
    }
}

/// The two kinds of WebSocket data frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Text,
    Binary,
}

/// One generation of the protocol.
pub(crate) trait WireVersion: Send + Sync {
    /// As it appears in logs.
    fn name(&self) -> &'static str;

    /// Its place in [`ALL`], so that something can be kept once per generation.
    fn index(&self) -> usize;

    /// A decoder for one connection that still has to say hello.
    fn decoder(&self, limits: &Limits) -> Box<dyn Decoder>;

    /// The frames of one outgoing message.
    ///
    /// # Errors
    /// The value's own `Serialize` failed, or it has a shape that the format cannot carry.
    fn encode(&self, message: &Outgoing<'_>) -> Result<Encoded, Unserialisable>;

    /// What an id says, when it is text.
    fn id_text(&self, id: &RequestId) -> Option<String>;

    /// Whether the answer to a good hello says how large a frame may be.
    fn announces_max_message(&self) -> bool;
}

/// Puts the frames of one connection together; keeps what is incomplete, within its limits.
pub(crate) trait Decoder: Send {
    /// A request with nothing in it.
    fn blank(&self) -> Request;

    /// Takes the next frame. `request`, which is blank, becomes the request that the frame completes: it is
    /// too large to be passed from hand to hand.
    fn decode(&mut self, kind: FrameKind, payload: Bytes, request: &mut Request) -> Result<Decoded, Violation>;

    /// The peer has said hello: the wider limits hold from now on.
    fn authenticated(&mut self);

    /// How many messages have begun and are not complete, and how many bytes of them have come.
    fn incomplete(&self) -> (usize, usize);

    /// Gives back memory that is only kept to be faster.
    fn rest(&mut self) {}
}

/// What a frame led to.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// Nothing yet, or nothing ever.
    Nothing,
    Request,
    /// The request of that id has `got` bytes where `limit` are taken; it is not executed.
    TooLarge {
        id: RequestId,
        limit: usize,
        got: usize,
    },
}

#[cfg(any(test, feature = "fuzzing", feature = "measuring"))]
impl dyn Decoder + '_ {
    /// The request that the next frame completes.
    pub(crate) fn next(&mut self, kind: FrameKind, payload: Bytes) -> Result<Option<Request>, Violation> {
        let mut request = self.blank();
        Ok(match self.decode(kind, payload, &mut request)? {
            Decoded::Nothing => None,
            Decoded::Request => Some(request),
            Decoded::TooLarge { .. } => panic!("too large"),
        })
    }
}

/// A message to encode.
pub(crate) struct Outgoing<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) content: Content<'a>,
}

/// What an outgoing message is about.
pub(crate) enum Subject<'a> {
    /// It answers a request.
    Reply(&'a RequestId),
    /// It is an event of this topic, and of one subscription when that has events of its own.
    Event { topic: &'a str, subscription: Option<u64> },
}

/// What an outgoing message says.
pub(crate) enum Content<'a> {
    Result(&'a dyn erased_serde::Serialize),
    Error(&'a CallError),
    /// The call goes on.
    Progress(&'a dyn erased_serde::Serialize),
    /// The subscription has no more events.
    End,
}

/// The value refused to be serialised; the text says why.
#[derive(Debug)]
pub(crate) struct Unserialisable(pub(crate) String);

/// The peer broke the protocol in a way that ends its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

impl Violation {
    /// 1002: frames or chunks that contradict each other.
    pub(crate) const fn protocol(reason: &'static str) -> Self {
        Self { code: 1002, reason }
    }

    /// 1007: a payload that is not what it says it is.
    pub(crate) const fn malformed(reason: &'static str) -> Self {
        Self { code: 1007, reason }
    }

    /// 1008: within the protocol, beyond what this server allows.
    pub(crate) const fn policy(reason: &'static str) -> Self {
        Self { code: 1008, reason }
    }

    /// 1009: too large.
    pub(crate) const fn too_large(reason: &'static str) -> Self {
        Self { code: 1009, reason }
    }
}
