//! One event for one client: its frames, and what decides whether and when the client may have it.

use std::sync::Arc;

use super::authorization::Restriction;
use crate::wire::Encoded;

/// The number by which the topics of one client are told apart. None is used twice.
pub(super) type TopicNumber = u64;

/// Where an event comes from, as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A topic, for a client that receives everything and counts nothing.
    Uncounted,
    /// A topic that the client subscribed to, whose events it counts.
    Topic(TopicNumber),
    /// What the topic of this subscription retained when it began.
    Retained(u64),
    /// The own stream of a subscription.
    Stream,
}

#[derive(Debug)]
pub(super) struct Event {
    pub(super) message: Encoded,
    pub(super) source: Source,
    /// What decides who may see it; `None` when everybody may.
    pub(super) restriction: Option<Arc<Restriction>>,
    /// The number of the reply that must be sent before it.
    pub(super) after_reply: u64,
}

impl Event {
    pub(super) const fn new(source: Source, message: Encoded) -> Self {
        Self { message, source, restriction: None, after_reply: 0 }
    }

    pub(super) fn restricted(self, restriction: Option<Arc<Restriction>>) -> Self {
        Self { restriction, ..self }
    }

    /// Whether a client may see it that `may_see` topics which require an authority.
    pub(super) fn is_visible(&self, may_see: impl FnOnce(&str, Option<&str>) -> bool) -> bool {
        self.restriction.as_ref().is_none_or(|restriction| may_see(&restriction.topic, restriction.require))
    }
}
