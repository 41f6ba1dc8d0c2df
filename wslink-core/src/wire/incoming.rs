//! A message of the peer: checked to be well-formed, its values still in the bytes it came in.
//!
//! Values are deserialised straight from the message into the types that want them, so nothing is built in between.
//! Knows no method and no parameter.

use std::{collections::HashMap, fmt, ops::Range, time::Duration};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use super::Violation;

/// What a message of the peer is. Its parts are in the [`Incoming`] that it was decoded into.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// A greeting; its first argument is a map.
    Hello,
    /// A call of a method.
    Call,
    /// Begins a subscription; the first argument is the topic, the others are its filter.
    Subscribe,
    /// Ends the subscription whose number is the first argument.
    Unsubscribe,
    /// Cancels the call whose id, as text, is the first argument.
    Cancel,
    /// Asks for the manifest.
    Manifest,
    /// A request to this end itself that it does not know.
    Unknown,
    /// It has an id and is neither a request nor an answer to one of ours.
    Invalid,
    /// A request that was not taken, because it has `got` bytes of at most `limit`.
    TooLarge {
        /// The largest that is taken.
        limit: usize,
        /// Its size.
        got: usize,
    },
    /// An answer to our request of this number.
    Reply {
        /// The number of the request.
        number: u64,
        /// Its content.
        content: Received,
    },
    /// An event.
    Event {
        /// Its topic.
        topic: String,
        /// The subscription that alone it is for.
        subscription: Option<u64>,
        /// Its content.
        content: Received,
    },
}

/// The content of an answer or event, with the place of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// The result of a call, or the payload of an event.
    Result(Span),
    /// An error in its place.
    Error(Span),
    /// A report of a call that is still running.
    Progress(Span),
    /// The subscription has no more events.
    End,
}

impl Received {
    /// The content that the member `key` is, whose value is at `span`.
    pub(super) fn of(key: &[u8], span: Span) -> Option<Self> {
        Some(match key {
            b"result" => Self::Result(span),
            b"error" => Self::Error(span),
            b"progress" => Self::Progress(span),
            b"end" => Self::End,
            _ => return None,
        })
    }

    /// The place of its value.
    #[must_use]
    pub const fn span(self) -> Option<Span> {
        match self {
            Self::Result(span) | Self::Error(span) | Self::Progress(span) => Some(span),
            Self::End => None,
        }
    }
}

/// The id of a request of the peer, in the encoding of its connection, echoed verbatim. A copy, since a call that
/// waits must not keep its whole message, and inline, since every call copies it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct MessageId(SmallVec<[u8; 64]>);

impl MessageId {
    /// An id that is written like this.
    #[inline]
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        // All at once, and not byte by byte as `Clone` and `From` of a `SmallVec` do.
        Self(SmallVec::from_slice(bytes))
    }

    /// As it is written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Clone for MessageId {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

/// More arguments than this are refused, since their spans would take more memory than the message does.
pub const MAX_ARGUMENTS: usize = 1 << 16;

pub(super) const TOO_MANY: Violation = Violation::policy("too many arguments");

/// A part of a message. Messages are smaller than 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The part from `start` to `end`, both of which lie in one message.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end) }
    }

    /// As a range of bytes.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The parts of a message.
#[derive(Debug)]
pub struct Incoming {
    /// `None`: nobody waits for an answer.
    pub id: Option<MessageId>,
    /// `None`: missing or not text.
    pub method: Option<MethodName>,
    /// The arguments of a request.
    pub arguments: Arguments,
    /// How long the peer waits for the answer.
    pub timeout: Option<Duration>,
    /// The content of an answer or event.
    pub content: Option<Received>,
    /// The subscription that alone an event is for.
    pub subscription: Option<u64>,
    /// Whether the request is to this end itself, not to one of its methods.
    pub system: bool,
}

/// The name of a method as the peer wrote it. Nobody has checked that it is UTF-8: it is only compared.
#[derive(Debug)]
pub enum MethodName {
    /// Stands in the message as it is.
    Verbatim(Span),
    /// Had to be decoded.
    Decoded(String),
}

impl Incoming {
    /// Parts with nothing in them.
    #[must_use]
    pub fn blank(format: &'static dyn Format) -> Self {
        let (positional, named) = (SmallVec::new(), SmallVec::new());
        let arguments = Arguments { body: Bytes::new(), positional, named, attachments: None, format };
        Self { id: None, system: false, method: None, arguments, timeout: None, content: None, subscription: None }
    }

    /// The name of the method, if there is one.
    #[must_use]
    pub fn method(&self) -> Option<&[u8]> {
        Some(match self.method.as_ref()? {
            MethodName::Verbatim(span) => &self.arguments.body[span.range()],
            MethodName::Decoded(name) => name.as_bytes(),
        })
    }

    /// The first argument, when it is there and fits.
    #[must_use]
    pub fn first<T: DeserializeOwned>(&mut self) -> Option<T> {
        let span = self.arguments.positional.first().copied()?;
        self.arguments.value(span).ok()
    }

    /// The value at `span`, to be deserialised later.
    #[must_use]
    pub fn body(&mut self, span: Span) -> Body {
        let Arguments { body, attachments, format, .. } = &mut self.arguments;
        Body { message: body.clone(), span, attachments: attachments.take().unwrap_or_default(), format: *format }
    }
}

/// The arguments of a request, each a part of the message.
pub struct Arguments {
    /// The whole message.
    pub body: Bytes,
    /// By position.
    pub positional: SmallVec<[Span; 6]>,
    /// By name: key and value.
    pub named: SmallVec<[(Span, Span); 2]>,
    /// Uploaded beside the message (protocol 1), by their keys; each is used once. Most messages have none.
    pub attachments: Option<HashMap<String, Bytes>>,
    /// How values are written.
    pub format: &'static dyn Format,
}

/// How a protocol writes a value.
pub trait Format: Send + Sync {
    /// Calls `with` on a deserializer for the value at `span`.
    ///
    /// # Errors
    /// The value is malformed, or `with` refuses it.
    fn deserialize(
        &self,
        source: &mut Source<'_>,
        span: Span,
        with: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), erased_serde::Error>,
    ) -> Result<(), erased_serde::Error>;
}

/// The message that a value is a part of.
pub struct Source<'a> {
    /// Its bytes.
    pub body: &'a Bytes,
    /// The attachment that a text stands for, if it is the key of one.
    pub attachment: &'a mut dyn FnMut(&str) -> Option<Bytes>,
}

fn value<T: DeserializeOwned>(format: &dyn Format, mut source: Source<'_>, span: Span) -> Result<T, erased_serde::Error> {
    let mut value = None;
    format.deserialize(&mut source, span, &mut |deserializer| {
        value = Some(T::deserialize(deserializer)?);
        Ok(())
    })?;
    value.ok_or_else(|| serde::de::Error::custom("no value"))
}

impl Arguments {
    /// The value at `span`.
    ///
    /// # Errors
    /// It is no `T`.
    pub fn value<T: DeserializeOwned>(&mut self, span: Span) -> Result<T, erased_serde::Error> {
        // A key stands for its attachment once; after that it is ordinary text.
        let mut attachment = |key: &str| self.attachments.as_mut()?.remove(key);
        value(self.format, Source { body: &self.body, attachment: &mut attachment }, span)
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} positional and {} named arguments", self.positional.len(), self.named.len())
    }
}

/// A value, still in the bytes of its message.
#[derive(Clone)]
pub struct Body {
    message: Bytes,
    span: Span,
    attachments: HashMap<String, Bytes>,
    format: &'static dyn Format,
}

impl Body {
    /// The value; attachments in it share the message's memory.
    ///
    /// # Errors
    /// It is no `T`; the text says why.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, String> {
        // A message may show an attachment several times.
        let mut attachment = |key: &str| self.attachments.get(key).cloned();
        let source = Source { body: &self.message, attachment: &mut attachment };
        value(self.format, source, self.span).map_err(|error| error.to_string())
    }

    /// Bytes that it keeps in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        self.message.len() + self.attachments.values().map(Bytes::len).sum::<usize>()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.size())
    }
}

#[cfg(test)]
impl dyn super::Decoder + '_ {
    /// The parts of the message that the next frame completes.
    pub(crate) fn next(&mut self, kind: super::FrameKind, payload: Bytes) -> Result<Option<(Message, Incoming)>, Violation> {
        let mut incoming = self.blank();
        Ok(self.decode(kind, payload, &mut incoming)?.map(|message| (message, incoming)))
    }
}
