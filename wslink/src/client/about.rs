//! The ids of messages: what a client calls its requests, and what a server's message is about.

use super::hello;

/// What the id of a message says that it is about.
pub(super) enum About<'a> {
    Call(u64),
    Subscription(u64),
    Event(&'a str),
    Hello,
    /// A request whose answer does not matter.
    Other,
}

/// The id of the call of this number.
pub(super) fn call(number: u64) -> String {
    format!("rpc:{number}")
}

/// The id of the request for the subscription of this number.
pub(super) fn subscription(number: u64) -> String {
    format!("system:subscribe:{number}")
}

/// The id of requests whose answer does not matter.
pub(super) const NOTICE: &str = "system:notice";

impl<'a> About<'a> {
    pub(super) fn of(id: &'a str) -> Self {
        let number = |prefix| id.strip_prefix(prefix).and_then(|number| number.parse().ok());
        if let Some(id) = number("rpc:") {
            Self::Call(id)
        } else if let Some(id) = number("system:subscribe:") {
            Self::Subscription(id)
        } else if let Some((topic, _)) = id.strip_prefix("publish:").and_then(|rest| rest.rsplit_once(':')) {
            Self::Event(topic)
        } else if id == hello::ID {
            Self::Hello
        } else {
            Self::Other
        }
    }
}
