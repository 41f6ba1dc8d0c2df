//! A request as it came: checked to be well-formed, its arguments still in the bytes of the message.
//!
//! Arguments are deserialised straight from the message into the handler's types, so nothing is
//! built for them in between. Knows no method and no parameter.

use std::{collections::HashMap, ops::Range, time::Duration};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use super::Violation;

/// A request id, in the encoding of its connection, to be echoed verbatim. A copy, since a call that
/// waits must not keep its whole message, and inline, since every call copies it.
#[derive(Debug)]
pub struct RequestId(SmallVec<[u8; 64]>);

impl RequestId {
    #[inline]
    pub fn new(bytes: &[u8]) -> Self {
        // All at once, and not byte by byte as `Clone` and `From` of a `SmallVec` do.
        Self(SmallVec::from_slice(bytes))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Clone for RequestId {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

/// More arguments than this are refused, lest their places take more memory than the message does.
pub(super) const MAX_ARGUMENTS: usize = 1 << 16;

pub(super) const TOO_MANY: Violation = Violation::policy("too many arguments");

/// A part of a message. Messages are smaller than 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The part from `start` to `end`, both of which lie in one message.
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end) }
    }

    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One request of a client.
#[derive(Debug)]
pub struct Request {
    /// `None`: nobody waits for an answer, and the message is dropped.
    pub id: Option<RequestId>,
    /// Whether the id begins with `system:`.
    pub system: bool,
    /// `None`: missing or not text.
    pub method: Option<MethodName>,
    pub arguments: Arguments,
    /// How long the caller will wait.
    pub timeout: Option<Duration>,
}

/// The name of a method as a client wrote it. Nobody has checked that it is UTF-8: what equals the name
/// of a method that there is, is.
#[derive(Debug)]
pub enum MethodName {
    /// Stands in the message as it is.
    Verbatim(Span),
    Decoded(String),
}

impl Request {
    /// A request with nothing in it.
    pub fn blank(format: &'static dyn Format) -> Self {
        let (positional, named) = (SmallVec::new(), SmallVec::new());
        let arguments = Arguments { body: Bytes::new(), positional, named, attachments: None, format };
        Self { id: None, system: false, method: None, arguments, timeout: None }
    }

    /// The name of the method, if there is one.
    pub fn method(&self) -> Option<&[u8]> {
        Some(match self.method.as_ref()? {
            MethodName::Verbatim(span) => &self.arguments.body[span.range()],
            MethodName::Decoded(name) => name.as_bytes(),
        })
    }
}

/// The arguments of a request, each a part of the message.
pub struct Arguments {
    pub body: Bytes,
    pub positional: SmallVec<[Span; 6]>,
    pub named: SmallVec<[(Span, Span); 2]>,
    /// Uploaded beside the message (first generation), by their keys; each is used once. Most have none.
    pub attachments: Option<HashMap<String, Bytes>>,
    pub format: &'static dyn Format,
}

/// How one generation writes a value.
pub trait Format: Send + Sync {
    /// Calls `with` on a deserializer for the value at `span`.
    fn deserialize(
        &self,
        arguments: &mut Source<'_>,
        span: Span,
        with: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), erased_serde::Error>,
    ) -> Result<(), erased_serde::Error>;
}

/// What a value may refer to.
pub struct Source<'a> {
    pub body: &'a Bytes,
    /// The attachment that a text stands for, if it is the key of one.
    pub attachment: &'a mut dyn FnMut(&str) -> Option<Bytes>,
}

/// The value at `span` of `source`.
pub(super) fn value<T: DeserializeOwned>(
    format: &dyn Format,
    mut source: Source<'_>,
    span: Span,
) -> Result<T, erased_serde::Error> {
    let mut value = None;
    format.deserialize(&mut source, span, &mut |deserializer| {
        value = Some(T::deserialize(deserializer)?);
        Ok(())
    })?;
    value.ok_or_else(|| serde::de::Error::custom("no value"))
}

impl Arguments {
    /// The value at `span`.
    pub fn value<T: DeserializeOwned>(&mut self, span: Span) -> Result<T, erased_serde::Error> {
        // A key stands for its attachment once; after that it is ordinary text.
        let mut attachment = |key: &str| self.attachments.as_mut()?.remove(key);
        value(self.format, Source { body: &self.body, attachment: &mut attachment }, span)
    }
}

impl std::fmt::Debug for Arguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} positional and {} named arguments", self.positional.len(), self.named.len())
    }
}
