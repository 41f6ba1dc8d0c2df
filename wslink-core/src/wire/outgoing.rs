//! Messages to encode: replies and events at once, requests as drafts that are sealed when they are sent.

use super::{Encoded, MessageId};
use crate::CallError;

/// A message to encode.
pub struct Outgoing<'a> {
    /// The request that it answers, or the topic of the event.
    pub subject: Subject<'a>,
    /// Its content.
    pub content: Content<'a>,
}

/// The subject of an outgoing message.
pub enum Subject<'a> {
    /// The request that it answers.
    Reply(&'a MessageId),
    /// An event.
    Event {
        /// Its topic.
        topic: &'a str,
        /// The subscription that alone it is for.
        subscription: Option<u64>,
    },
}

/// The content of an outgoing message.
pub enum Content<'a> {
    /// The result of a call, or the payload of an event.
    Result(&'a dyn erased_serde::Serialize),
    /// An error in its place.
    Error(&'a CallError),
    /// A report of a call that is still running.
    Progress(&'a dyn erased_serde::Serialize),
    /// The subscription has no more events.
    End,
}

/// The addressee of a request of ours.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// The greeting that authenticates this end.
    Hello,
    /// Begins a subscription; the first argument is the topic, named ones are its filter.
    Subscribe,
    /// Ends the subscription whose number is the argument.
    Unsubscribe,
    /// Cancels our request of this number; it takes no arguments.
    Cancel(u64),
    /// The method of that name.
    Method(&'a str),
}

/// The arguments of a request.
#[derive(Clone, Copy, Default)]
pub struct Parts<'a> {
    /// Serialises as a list.
    pub positional: Option<&'a dyn erased_serde::Serialize>,
    /// Serialises as a map.
    pub named: Option<&'a dyn erased_serde::Serialize>,
}

/// A request without the members that are only known when it is sent.
pub trait Draft: Send + Sync {
    /// The frames of the request as our request `number`, none larger than `max_frame` where the protocol can cut them.
    fn seal(self: Box<Self>, number: u64, timeout_ms: Option<u64>, max_frame: usize) -> Encoded;

    /// A copy, to send the request once more.
    fn copy(&self) -> Box<dyn Draft>;
}

/// The value refused to be serialised; the text says why.
#[derive(Debug)]
pub struct Unserializable(pub String);
