//! One client as publishers see it: what it wants, and what it may see.

use std::{collections::HashMap, sync::Arc};

use super::{Outbox, guard::Decisions};
use crate::{Client, wire::WireVersion};

/// A client.
pub(super) struct Peer {
    pub(super) client: Client,
    pub(super) decisions: Decisions,
    pub(super) wire: &'static dyn WireVersion,
    pub(super) outbox: Arc<Outbox>,
    pub(super) interest: Interest,
}

impl Peer {
    /// Whether it receives what is published on that topic.
    pub(super) fn receives(&self, sight: Sight<'_>) -> bool {
        self.interest.includes(sight.topic) && self.may_see(sight)
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

/// Which topics a client receives.
#[derive(Clone)]
pub(crate) enum Interest {
    /// All of them: the protocol's clients filter for themselves.
    Everything,
    /// Those that it subscribed to, with the number of subscriptions.
    Topics(HashMap<String, usize>),
}

impl Interest {
    pub(super) fn includes(&self, topic: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Topics(topics) => topics.contains_key(topic),
        }
    }
}
