//! Which topics a client receives, by which subscriptions, and the numbers by which its history tells
//! them apart.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::queue::TopicNumber;

#[derive(Clone)]
pub enum Interest {
    /// All of them: the protocol's clients filter for themselves.
    Everything,
    /// Those that it subscribed to.
    Topics(Topics),
}

/// The topics that a client has subscribed to.
#[derive(Clone, Default)]
pub struct Topics {
    by_name: HashMap<String, Wanted>,
    /// There were too many to count the events of each: those without subscriptions are forgotten.
    uncountable: bool,
}

#[derive(Clone)]
struct Wanted {
    number: TopicNumber,
    subscriptions: SmallVec<[u64; 1]>,
}

impl Interest {
    /// The number of `topic`, when the client receives it.
    pub(super) fn includes(&self, topic: &str) -> Option<TopicNumber> {
        match self {
            Self::Everything => Some(0),
            Self::Topics(topics) => {
                topics.by_name.get(topic).filter(|wanted| !wanted.subscriptions.is_empty()).map(|wanted| wanted.number)
            }
        }
    }
}

impl Topics {
    /// Adds a subscription and returns the number of its topic. A client that had more than `limit`
    /// topics, those that it left included, is not counted for any more.
    pub(super) fn add(&mut self, topic: &str, subscription: u64, limit: usize) -> TopicNumber {
        if !self.by_name.contains_key(topic) && self.by_name.len() >= limit && !self.uncountable {
            self.uncountable = true;
            self.by_name.retain(|_, wanted| !wanted.subscriptions.is_empty());
        }
        let next = TopicNumber::try_from(self.by_name.len() + 1).unwrap_or(0);
        let number = if self.uncountable { 0 } else { next };
        let wanted = self.by_name.entry(topic.to_owned()).or_insert_with(|| Wanted { number, subscriptions: SmallVec::new() });
        wanted.subscriptions.push(subscription);
        wanted.number
    }

    /// Takes a subscription back.
    pub(super) fn remove(&mut self, topic: &str, subscription: u64) {
        let Some(wanted) = self.by_name.get_mut(topic) else { return };
        wanted.subscriptions.retain(|number| *number != subscription);
        if self.uncountable && wanted.subscriptions.is_empty() {
            self.by_name.remove(topic);
        }
    }

    /// Whether the events of each topic can be counted.
    pub(super) const fn are_countable(&self) -> bool {
        !self.uncountable
    }

    /// The number of that topic.
    pub(super) fn number(&self, name: &str) -> Option<TopicNumber> {
        self.by_name.get(name).map(|wanted| wanted.number)
    }

    /// The topic of that number.
    pub(super) fn name(&self, number: TopicNumber) -> Option<&String> {
        self.by_name.iter().find(|(_, wanted)| wanted.number == number).map(|(name, _)| name)
    }

    /// Every subscription, with its topic.
    pub(super) fn subscriptions(&self) -> impl Iterator<Item = (u64, &str)> {
        self.by_name.iter().flat_map(|(name, wanted)| wanted.subscriptions.iter().map(move |number| (*number, name.as_str())))
    }
}
