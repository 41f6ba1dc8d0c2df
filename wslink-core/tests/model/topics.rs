//! What the simulated server publishes: topics of every policy, and streams of their own for each subscription.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;
use serde::{Deserialize, Serialize};
use wslink_core::{Attachment, Delivery, Publisher, Topic, service, topic};

use super::{
    hub_clients::Who,
    ledger::{Ledger, OpenStream},
    link::Ms,
};

/// What is published.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Event {
    /// Its place among the events of its topic or stream.
    pub(crate) number: u32,
    pub(crate) key: u64,
    /// The call that published it.
    pub(crate) call: Option<u32>,
    pub(crate) text: String,
    pub(crate) blob: Option<Attachment>,
}

/// Content for everything that has a size.
static BYTES: [u8; 1 << 19] = [b'x'; 1 << 19];

pub(crate) fn bytes(count: usize) -> Attachment {
    Attachment::from_static(&BYTES[..count])
}

pub(crate) fn text(count: usize) -> String {
    String::from_utf8_lossy(&BYTES[..count]).into_owned()
}

/// Topics that subscribers share, and streams of their own.
pub(crate) struct Board(pub(crate) Ledger);

#[service(crate = wslink_core)]
impl Board {
    #[topic("t.reliable")]
    pub(crate) const RELIABLE: Topic<Event>;

    #[topic("t.kept", retain = last)]
    pub(crate) const KEPT: Topic<Event>;

    #[topic("t.latest", delivery = latest)]
    pub(crate) const LATEST: Topic<Event>;

    #[topic("t.state", delivery = latest, retain = last)]
    pub(crate) const STATE: Topic<Event>;

    #[topic("t.recent", delivery = drop_oldest(3))]
    pub(crate) const RECENT: Topic<Event>;

    #[topic("t.keyed", delivery = latest(key = key))]
    pub(crate) const KEYED: Topic<Event>;

    #[topic("t.insider", require = "insider")]
    pub(crate) const INSIDER: Topic<Event>;

    #[topic("s.reliable")]
    fn reliable(&self, interval: Ms, count: u32) -> impl Stream<Item = Event> + Send + 'static {
        self.stream(interval, count)
    }

    #[topic("s.latest", delivery = latest)]
    fn latest(&self, interval: Ms, count: u32) -> impl Stream<Item = Event> + Send + 'static {
        self.stream(interval, count)
    }

    #[topic("s.insider", require = "insider")]
    fn insider(&self, interval: Ms, count: u32) -> impl Stream<Item = Event> + Send + 'static {
        self.stream(interval, count)
    }
}

impl Board {
    fn stream(&self, interval: Ms, count: u32) -> Ticks {
        let now = self.0.facts().now;
        Ticks { open: OpenStream::new(&self.0), next: now, interval, number: 0, count }
    }
}

/// Numbered events, one each interval.
struct Ticks {
    open: OpenStream,
    next: Ms,
    interval: Ms,
    number: u32,
    count: u32,
}

impl Stream for Ticks {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Event>> {
        if self.number == self.count {
            return Poll::Ready(None);
        }
        let now = {
            let mut facts = self.open.ledger().facts();
            if facts.now < self.next {
                facts.wake_at(self.next);
                return Poll::Pending;
            }
            facts.now
        };
        self.next = now + self.interval;
        self.number += 1;
        Poll::Ready(Some(Event { number: self.number - 1, ..Event::default() }))
    }
}

/// What the checks know of a topic.
pub(crate) struct TopicInfo {
    pub(crate) uri: &'static str,
    pub(crate) delivery: Delivery,
    pub(crate) retains: bool,
    /// Bob must not see it.
    pub(crate) for_alice: bool,
    publish: fn(&Publisher, &Event),
}

impl TopicInfo {
    const fn declared(topic: Topic<Event>, publish: fn(&Publisher, &Event)) -> Self {
        Self { uri: topic.uri(), delivery: topic.delivery(), retains: false, for_alice: false, publish }
    }

    pub(crate) fn publish(&self, publisher: &Publisher, event: &Event) {
        (self.publish)(publisher, event);
    }

    pub(crate) fn may_see(&self, who: Who) -> bool {
        !self.for_alice || who == Who::Alice
    }

    pub(crate) const fn is_reliable(&self) -> bool {
        matches!(self.delivery, Delivery::Reliable)
    }
}

/// The topics that subscribers share.
pub(crate) static TOPICS: [TopicInfo; 9] = [
    TopicInfo::declared(Board::RELIABLE, |publisher, event| publisher.publish(Board::RELIABLE, event)),
    TopicInfo { retains: true, ..TopicInfo::declared(Board::KEPT, |publisher, event| publisher.publish(Board::KEPT, event)) },
    TopicInfo::declared(Board::LATEST, |publisher, event| publisher.publish(Board::LATEST, event)),
    TopicInfo { retains: true, ..TopicInfo::declared(Board::STATE, |publisher, event| publisher.publish(Board::STATE, event)) },
    TopicInfo::declared(Board::RECENT, |publisher, event| publisher.publish(Board::RECENT, event)),
    TopicInfo::declared(Board::KEYED, |publisher, event| publisher.publish(Board::KEYED, event)),
    TopicInfo {
        for_alice: true,
        ..TopicInfo::declared(Board::INSIDER, |publisher, event| publisher.publish(Board::INSIDER, event))
    },
    TopicInfo {
        uri: "u.everybody",
        delivery: Delivery::Reliable,
        retains: false,
        for_alice: false,
        publish: |publisher, event| publisher.publish_untyped("u.everybody", event),
    },
    TopicInfo {
        uri: ALICE,
        delivery: Delivery::Reliable,
        retains: false,
        for_alice: true,
        publish: |publisher, event| publisher.publish_untyped(ALICE, event),
    },
];

/// The topic that the application lets only Alice see.
pub(crate) const ALICE: &str = "u.alice";

/// The topic of which the newest event of each key arrives.
pub(crate) const KEYED: usize = 5;

/// The topics of which each subscription has a stream of its own.
pub(crate) const STREAMS: [(&str, bool); 3] = [("s.reliable", true), ("s.latest", false), ("s.insider", true)];
