//! The client's side of a generation: requests out, messages of a server in.
//!
//! What a message says stays in its bytes until the program names the type that it wants. Knows
//! nothing of sockets, of what was asked, or of who waits for it.

use std::collections::HashMap;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{
    Encoded, FrameKind, Span, Unserialisable, Violation,
    request::{self, Format, Source},
    v1, v2,
};
use crate::Limits;

/// What a client of the first generation does with its frames.
pub const FIRST: &dyn ClientWire = &v1::V1;

/// What a client of the second generation does with its frames.
pub const SECOND: &dyn ClientWire = &v2::V2;

/// One generation of the protocol, as clients speak it.
pub trait ClientWire: Send + Sync {
    /// A request to `method`.
    ///
    /// # Errors
    /// The arguments refused to be serialised, or are no list and no map.
    fn draft(&self, method: &str, arguments: Parts<'_>) -> Result<Box<dyn Draft>, Unserialisable>;

    /// A decoder for one connection.
    fn messages(&self, limits: &Limits) -> Box<dyn MessageDecoder>;
}

/// The arguments of a request.
#[derive(Clone, Copy, Default)]
pub struct Parts<'a> {
    /// Serialises as a list.
    pub positional: Option<&'a dyn erased_serde::Serialize>,
    /// Serialises as a map.
    pub named: Option<&'a dyn erased_serde::Serialize>,
}

/// A request without what is known only when it is sent.
pub trait Draft: Send + Sync {
    /// The frames of the request, none larger than `max_frame` where the generation can cut them.
    fn seal(self: Box<Self>, id: &str, timeout_ms: Option<u64>, max_frame: usize) -> Encoded;

    /// The same request, to be sent once more.
    fn again(&self) -> Box<dyn Draft>;
}

/// Puts the frames of one connection together.
pub trait MessageDecoder: Send {
    /// Takes the next frame; returns the message that it completes, if any.
    fn decode(&mut self, kind: FrameKind, payload: Bytes) -> Result<Option<Message>, Violation>;
}

/// A message of a server.
#[derive(Debug)]
pub struct Message {
    pub id: String,
    /// The subscription that it is for, where a topic has several.
    pub subscription: Option<u64>,
    pub content: Received,
}

/// What a message says.
#[derive(Debug)]
pub enum Received {
    Result(Body),
    Error(Body),
    Progress(Body),
    /// The stream of events has ended.
    End,
}

/// A value, still in the bytes of its message.
#[derive(Clone)]
pub struct Body {
    pub(super) message: Bytes,
    pub(super) span: Span,
    pub(super) attachments: HashMap<String, Bytes>,
    pub(super) format: &'static dyn Format,
}

impl Body {
    /// The value; attachments in it share the message's memory.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, String> {
        let mut attachment = |key: &str| self.attachments.get(key).cloned();
        let source = Source { body: &self.message, attachment: &mut attachment };
        request::value(self.format, source, self.span).map_err(|error| error.to_string())
    }

    /// Bytes that it keeps in memory.
    pub fn size(&self) -> usize {
        self.message.len() + self.attachments.values().map(Bytes::len).sum::<usize>()
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes)", self.size())
    }
}

/// The parts of a message, as a scan finds them.
#[derive(Default)]
pub(super) struct Found {
    pub(super) id: Option<String>,
    pub(super) subscription: Option<u64>,
    pub(super) content: Option<FoundContent>,
}

/// Where the value of a message is.
#[derive(Clone, Copy)]
pub(super) enum FoundContent {
    Result(Span),
    Error(Span),
    Progress(Span),
    End,
}

impl FoundContent {
    /// What the member `key` says, whose value is at `span`.
    pub(super) fn of(key: &str, span: Span) -> Option<Self> {
        Some(match key {
            "result" => Self::Result(span),
            "error" => Self::Error(span),
            "progress" => Self::Progress(span),
            "end" => Self::End,
            _ => return None,
        })
    }

    /// Where its value is.
    pub(super) const fn span(self) -> Option<Span> {
        match self {
            Self::Result(span) | Self::Error(span) | Self::Progress(span) => Some(span),
            Self::End => None,
        }
    }
}

impl Found {
    /// The message; `None` when it lacks what makes it one, which is left to later protocols.
    pub(super) fn message(self, body: impl Fn(Span) -> Body) -> Option<Message> {
        let content = match self.content? {
            FoundContent::Result(span) => Received::Result(body(span)),
            FoundContent::Error(span) => Received::Error(body(span)),
            FoundContent::Progress(span) => Received::Progress(body(span)),
            FoundContent::End => Received::End,
        };
        Some(Message { id: self.id?, subscription: self.subscription, content })
    }
}
