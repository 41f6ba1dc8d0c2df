//! Messages on a WebSocket: one folder a protocol, each exporting one static that [`ALL`] lists.
//!
//! A [`Protocol`] turns frames into [`Message`]s and back, for either end of a connection. Knows nothing of sockets,
//! methods or clients.

use bytes::Bytes;

pub(crate) use self::v2::joined;
pub use self::{
    encoded::{Encoded, Frame},
    incoming::{Arguments, Body, Format, Incoming, MAX_ARGUMENTS, Message, MessageId, MethodName, Received, Source, Span},
    outgoing::{Content, Draft, Outgoing, Parts, Subject, Target, Unserializable},
    protocols::Protocols,
};
use crate::Limits;

mod encoded;
mod incoming;
mod names;
mod outgoing;
mod protocols;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

/// wslink protocol 1: JSON in text frames.
pub const V1: &dyn Protocol = &v1::V1;

/// wslink protocol 2: MessagePack in chunks, each a binary frame.
pub const V2: &dyn Protocol = &v2::V2;

/// The protocols that a server speaks unless it is told otherwise. A new one is a folder here and a line in this list.
pub const ALL: [&dyn Protocol; 2] = [V1, V2];

/// The two kinds of WebSocket data frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
}

/// A protocol, as either end of a connection speaks it.
pub trait Protocol: Send + Sync {
    /// Its name in logs and statistics, by which a server tells it from the others that it speaks.
    fn name(&self) -> &'static str;

    /// The WebSocket subprotocol that selects it; `None` where its first frame does.
    fn subprotocol(&self) -> Option<&'static str> {
        None
    }

    /// The kind of frame that a client begins with.
    fn first_frame(&self) -> FrameKind;

    /// A decoder for one connection, with the limits for an unauthenticated peer.
    fn decoder(&self, limits: &Limits) -> Box<dyn Decoder>;

    /// The frames of a reply, a report of progress or an event.
    ///
    /// # Errors
    /// The value's own `Serialize` failed, or the format cannot carry its shape.
    fn encode(&self, message: &Outgoing<'_>) -> Result<Encoded, Unserializable>;

    /// A request of ours, complete but for what is only known when it is sent.
    ///
    /// # Errors
    /// The arguments refused to be serialised, or are no list and no map.
    fn draft(&self, target: Target<'_>, arguments: Parts<'_>) -> Result<Box<dyn Draft>, Unserializable>;

    /// An id of the peer as text, by which it may refer to its request later; `None` when it is not text.
    fn id_text(&self, id: &MessageId) -> Option<String>;

    /// Whether the answer to a good hello says how large a frame may be.
    fn announces_max_message(&self) -> bool {
        false
    }
}

/// Puts the frames of one connection together; keeps incomplete messages, within its limits.
pub trait Decoder: Send {
    /// Parts with nothing in them.
    fn blank(&self) -> Incoming;

    /// Takes the next frame and returns the message that it completes. The parts of the message go into `incoming`,
    /// which is blank: it is too large to be passed by value.
    ///
    /// # Errors
    /// The peer broke the protocol in a way that ends its connection.
    fn decode(&mut self, kind: FrameKind, payload: Bytes, incoming: &mut Incoming) -> Result<Option<Message>, Violation>;

    /// The peer is authenticated: the wider limits hold from now on.
    fn authenticated(&mut self);

    /// How many messages have begun and are not complete, and how many bytes of them have arrived.
    fn incomplete(&self) -> (usize, usize);

    /// Frees buffers that are only kept for speed.
    fn release_spare(&mut self) {}
}

/// The peer broke the protocol in a way that ends its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The close code.
    pub code: u16,
    /// The close reason.
    pub reason: &'static str,
}

impl Violation {
    /// 1002: frames or chunks that contradict each other.
    #[must_use]
    pub const fn protocol(reason: &'static str) -> Self {
        Self { code: 1002, reason }
    }

    /// 1007: a malformed payload.
    #[must_use]
    pub const fn malformed(reason: &'static str) -> Self {
        Self { code: 1007, reason }
    }

    /// 1008: within the protocol, beyond the limits of this end.
    #[must_use]
    pub const fn policy(reason: &'static str) -> Self {
        Self { code: 1008, reason }
    }

    /// 1009: too large.
    #[must_use]
    pub const fn too_large(reason: &'static str) -> Self {
        Self { code: 1009, reason }
    }
}
