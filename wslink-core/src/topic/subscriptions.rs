//! The subscriptions of a client by topic, and the numbers by which its replay buffer tells topics apart.

use std::{collections::HashMap, sync::Arc};

use smallvec::SmallVec;

use super::event::TopicNumber;

/// The events that a client wants.
pub enum Interest {
    /// All of them: the protocol's clients filter for themselves.
    Everything,
    /// Those that it subscribed to.
    Topics(Topics),
}

/// The topics that a client is subscribed to. One that it left is forgotten.
#[derive(Default)]
pub struct Topics {
    by_name: HashMap<Arc<str>, Wanted>,
    /// The number of the last new topic.
    last: TopicNumber,
}

struct Wanted {
    number: TopicNumber,
    subscriptions: SmallVec<[u64; 1]>,
}

/// What a topic costs beside its name, and a subscription of it, where a client is remembered.
const TOPIC_OVERHEAD: usize = 192;
const SUBSCRIPTION_OVERHEAD: usize = 16;

impl Interest {
    /// Bytes that are needed to remember it.
    pub(super) fn cost(&self) -> usize {
        let Self::Topics(topics) = self else { return 0 };
        let cost = |(name, wanted): (&Arc<str>, &Wanted)| {
            name.len() + TOPIC_OVERHEAD + wanted.subscriptions.len() * SUBSCRIPTION_OVERHEAD
        };
        topics.by_name.iter().map(cost).sum()
    }
}

impl Topics {
    /// Adds a subscription and returns the number of its topic, and whether the topic is new.
    pub(super) fn add(&mut self, topic: &Arc<str>, subscription: u64) -> (TopicNumber, bool) {
        if let Some(wanted) = self.by_name.get_mut(topic) {
            wanted.subscriptions.push(subscription);
            return (wanted.number, false);
        }
        self.last += 1;
        let wanted = Wanted { number: self.last, subscriptions: SmallVec::from([subscription]) };
        self.by_name.insert(Arc::clone(topic), wanted);
        (self.last, true)
    }

    /// Takes a subscription back. Returns whether it was the last one of its topic.
    pub(super) fn remove(&mut self, topic: &str, subscription: u64) -> bool {
        let Some(wanted) = self.by_name.get_mut(topic) else { return false };
        wanted.subscriptions.retain(|number| *number != subscription);
        let is_left = wanted.subscriptions.is_empty();
        if is_left {
            self.by_name.remove(topic);
        }
        is_left
    }

    /// The topics with their numbers.
    pub(super) fn names(&self) -> impl Iterator<Item = (TopicNumber, &Arc<str>)> {
        self.by_name.iter().map(|(name, wanted)| (wanted.number, name))
    }

    /// Every subscription, with its topic.
    pub(super) fn subscriptions(&self) -> impl Iterator<Item = (u64, &str)> {
        self.by_name.iter().flat_map(|(name, wanted)| wanted.subscriptions.iter().map(move |number| (*number, &**name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_is_left_leaves_nothing_and_its_number_is_not_used_again() {
        let mut interest = Interest::Topics(Topics::default());
        for round in 1..=1000 {
            let Interest::Topics(topics) = &mut interest else { unreachable!() };
            let name: Arc<str> = format!("topic.{round}").into();
            assert_eq!(topics.add(&name, 2 * round), (round, true));
            assert_eq!(topics.add(&name, 2 * round + 1), (round, false));
            assert!(!topics.remove(&name, 2 * round) && topics.remove(&name, 2 * round + 1));
            assert_eq!((topics.by_name.len(), interest.cost()), (0, 0));
        }
    }
}
