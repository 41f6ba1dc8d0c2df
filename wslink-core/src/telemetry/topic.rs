//! The events of one topic: how many were published, to how many clients, and what was dropped.

use std::sync::OnceLock;

use super::{meters::Meters, number::Count, statistics::TopicStatistics};
use crate::Delivery;

/// Policies by which events are dropped.
const POLICIES: [&str; 3] = ["reliable", "latest", "drop_oldest"];

pub(super) struct Topic {
    uri: String,
    published: Count,
    queued: Count,
    /// By policy.
    dropped: [OnceLock<Count>; POLICIES.len()],
}

impl Topic {
    pub(super) fn new(meters: &Meters, uri: &str) -> Self {
        let count = |name| Count::new(meters.counter(name, &[("topic", uri)]));
        Self {
            uri: uri.to_owned(),
            published: count("wslink_events_published_total"),
            queued: count("wslink_events_queued_total"),
            dropped: Default::default(),
        }
    }

    pub(super) fn published(&self, meters: &Meters, policy: Delivery, receivers: usize, dropped: usize) {
        self.published.add(1);
        self.queued.add(receivers as u64);
        if dropped > 0 {
            let place = place(policy);
            let labels = [("topic", &*self.uri), ("policy", POLICIES[place])];
            let count = || Count::new(meters.counter("wslink_events_dropped_total", &labels));
            self.dropped[place].get_or_init(count).add(dropped as u64);
        }
    }

    pub(super) fn statistics(&self) -> TopicStatistics {
        let dropped = self.dropped.iter().zip(POLICIES);
        TopicStatistics {
            topic: self.uri.clone(),
            published: self.published.total(),
            queued: self.queued.total(),
            dropped: dropped.filter_map(|(count, policy)| Some((policy, count.get()?.total()))).collect(),
        }
    }
}

const fn place(policy: Delivery) -> usize {
    match policy {
        Delivery::Reliable => 0,
        Delivery::Latest => 1,
        Delivery::DropOldest(_) => 2,
    }
}
