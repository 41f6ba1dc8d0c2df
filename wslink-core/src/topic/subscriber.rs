//! One client as publishers see it: what it wants, and what it may see.

use std::{any::Any, sync::Arc};

use super::{
    Interest, Outbox,
    authorization::{Decisions, Restriction},
    protocols::Spoken,
    resumption::Resumption,
};
use crate::{Client, Disconnect};

/// A client.
pub(super) struct Subscriber {
    pub(super) client: Client,
    pub(super) decisions: Decisions,
    pub(super) wire: Spoken,
    pub(super) outbox: Arc<Outbox>,
    pub(super) interest: Interest,
    /// The groups that it is a member of.
    pub(super) groups: Vec<Arc<str>>,
    /// What it may come back with when it is lost.
    pub(super) resumption: Option<Resumption>,
    /// Its connection is lost, and it may come back.
    pub(super) away: bool,
    /// Kept for as long as the client is known.
    pub(super) companion: Option<Arc<dyn Companion>>,
}

impl Subscriber {
    pub(super) fn new(
        client: Client,
        wire: Spoken,
        outbox: Arc<Outbox>,
        interest: Interest,
        companion: Option<Arc<dyn Companion>>,
    ) -> Self {
        let decisions = Decisions::default();
        Self { client, decisions, wire, outbox, interest, groups: Vec::new(), resumption: None, away: false, companion }
    }

    pub(super) fn may_see(&self, Visibility { topic, require, asked }: Visibility<'_>) -> bool {
        require.is_none_or(|authority| self.client.principal().holds(authority))
            && (!asked || self.decisions.of(topic) == Some(true))
    }

    /// Bytes that are needed to remember it, beside its events.
    pub(super) fn cost(&self) -> usize {
        self.interest.cost() + self.groups.iter().map(|group| group.len()).sum::<usize>() + size_of::<Self>()
    }
}

/// What others keep with a client, and drop when it is known no more.
pub trait Companion: Any + Send + Sync {
    /// The client will be known no more, for this reason.
    fn end_with(&self, reason: Disconnect);
}

/// A topic, and what decides who sees it.
#[derive(Clone, Copy)]
pub(super) struct Visibility<'a> {
    pub(super) topic: &'a str,
    pub(super) require: Option<&'static str>,
    /// Whether the application has a say.
    pub(super) asked: bool,
}

impl Visibility<'_> {
    /// What decides about events later; nothing where everybody may see them.
    pub(super) fn restriction(&self) -> Option<Arc<Restriction>> {
        let is_restricted = self.asked || self.require.is_some();
        is_restricted.then(|| Arc::new(Restriction { topic: self.topic.into(), require: self.require }))
    }
}
