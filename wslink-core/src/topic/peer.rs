//! One client as publishers see it: what it wants, and what it may see.

use std::sync::Arc;

use super::{Interest, Outbox, guard::Decisions, queue::TopicNumber, resume::Resumption};
use crate::{Client, wire::Protocol};

/// A client.
pub(super) struct Peer {
    pub(super) client: Client,
    pub(super) decisions: Decisions,
    pub(super) wire: &'static dyn Protocol,
    pub(super) outbox: Arc<Outbox>,
    pub(super) interest: Interest,
    /// What it may come back with when it is lost.
    pub(super) resumption: Option<Resumption>,
    /// Its connection is lost, and it may come back.
    pub(super) away: bool,
}

impl Peer {
    /// The number of that topic for it, when it receives what is published there.
    pub(super) fn receives(&self, sight: Sight<'_>) -> Option<TopicNumber> {
        self.interest.includes(sight.topic).filter(|_| self.may_see(sight))
    }

    /// Whether it wants `topic`, of which the application has not said whether it may see it.
    pub(super) fn is_undecided(&self, topic: &str) -> bool {
        self.interest.includes(topic).is_some() && self.decisions.of(topic).is_none()
    }

    pub(super) fn may_see(&self, Sight { topic, require, asked }: Sight<'_>) -> bool {
        require.is_none_or(|authority| self.client.principal().holds(authority))
            && (!asked || self.decisions.of(topic) == Some(true))
    }
}

/// A topic, and what decides who sees it.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) topic: &'a str,
    pub(super) require: Option<&'static str>,
    /// Whether the application has a say.
    pub(super) asked: bool,
}
