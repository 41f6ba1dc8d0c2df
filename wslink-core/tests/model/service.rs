//! The services of the simulated server: methods of every kind, topics of every policy.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;
use serde::{Deserialize, Serialize};
use wslink_core::{Attachment, CallError, Client, Delivery, ErrorCode, Progress, Publisher, Topic, rpc, service, topic};

use super::{
    ledger::{Audience, Ledger, OpenStream, Running, Who},
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

/// What a call is to do.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Task {
    /// The number of the call in the program.
    pub(crate) id: u32,
    /// The number of the connection in the program.
    pub(crate) connection: u32,
    /// How many hellos the client had said before on its connection.
    pub(crate) hellos: usize,
    /// The ordered service that it is for.
    pub(crate) lane: Option<u8>,
    /// How long it takes.
    pub(crate) takes: Ms,
    /// How often it reports progress.
    pub(crate) reports: u32,
    pub(crate) fails: bool,
    /// The topic on which it publishes before it is answered.
    pub(crate) publishes: Option<usize>,
    /// Bytes of its result.
    pub(crate) bytes: usize,
}

/// The result of a call.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Answer {
    pub(crate) id: u32,
    /// Bytes of the attachment that came with the call.
    pub(crate) received: usize,
    pub(crate) blob: Attachment,
    /// So that an attachment is followed by something.
    pub(crate) again: u32,
}

/// The code of a call that fails as it was asked to.
pub(crate) const FAILURE: i32 = 42;

/// Content for everything that has a size.
static BYTES: [u8; 1 << 19] = [b'x'; 1 << 19];

pub(crate) fn bytes(count: usize) -> Attachment {
    Attachment::from_static(&BYTES[..count])
}

pub(crate) fn text(count: usize) -> String {
    String::from_utf8_lossy(&BYTES[..count]).into_owned()
}

/// What handlers work with.
pub(crate) struct Workshop {
    pub(crate) ledger: Ledger,
    /// The number of the server.
    pub(crate) server: u32,
    pub(crate) publisher: Publisher,
}

impl Workshop {
    /// Ends a call: publishes and answers as it says.
    fn finish(&self, running: Running, task: &Task, blob: Option<&Attachment>) -> Result<Answer, CallError> {
        running.finish();
        drop(running);
        if let Some(topic) = task.publishes {
            let event = Event { call: Some(task.id), key: 1, ..Event::default() };
            self.ledger.publish((self.server, &self.publisher), topic, Audience::All, event);
        }
        if task.fails {
            return Err(CallError::new(ErrorCode::Application(FAILURE), "as asked").with_data(task.id));
        }
        Ok(Answer { id: task.id, received: blob.map_or(0, |blob| blob.len()), blob: bytes(task.bytes), again: task.id })
    }

    async fn work(
        &self,
        task: Task,
        blob: Option<Attachment>,
        client: &Client,
        progress: Option<Progress<u32>>,
    ) -> Result<Answer, CallError> {
        let running = self.ledger.begin(&task, client);
        let start = self.ledger.facts().now;
        for report in 0..task.reports {
            progress.iter().for_each(|progress| progress.report(&report));
            self.until(start + task.takes * Ms::from(report + 1) / Ms::from(task.reports + 1)).await;
        }
        self.until(start + task.takes).await;
        self.finish(running, &task, blob.as_ref())
    }

    fn until(&self, at: Ms) -> Until {
        Until { ledger: self.ledger.clone(), at }
    }
}

/// Ready at a point of the virtual time.
struct Until {
    ledger: Ledger,
    at: Ms,
}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let mut facts = self.ledger.facts();
        if facts.now >= self.at {
            return Poll::Ready(());
        }
        facts.wake_at(self.at);
        Poll::Pending
    }
}

/// Calls that run beside each other.
pub(crate) struct Free(pub(crate) Workshop);

#[service(crate = wslink_core)]
impl Free {
    #[rpc("free.now")]
    fn now(&self, task: Task, blob: Option<Attachment>, client: Client) -> Result<Answer, CallError> {
        self.0.finish(self.0.ledger.begin(&task, &client), &task, blob.as_ref())
    }

    #[rpc("free.later")]
    async fn later(
        &self,
        task: Task,
        blob: Option<Attachment>,
        client: Client,
        progress: Progress<u32>,
    ) -> Result<Answer, CallError> {
        self.0.work(task, blob, &client, Some(progress)).await
    }

    #[rpc("free.limited", timeout_ms = 300)]
    async fn limited(
        &self,
        task: Task,
        blob: Option<Attachment>,
        client: Client,
        progress: Progress<u32>,
    ) -> Result<Answer, CallError> {
        self.0.work(task, blob, &client, Some(progress)).await
    }

    #[rpc("free.detached", detached)]
    async fn detached(&self, task: Task, blob: Option<Attachment>, client: Client) -> Result<Answer, CallError> {
        self.0.work(task, blob, &client, None).await
    }

    #[rpc("free.blocking", blocking)]
    fn blocking(&self, task: Task, blob: Option<Attachment>, client: Client) -> Result<Answer, CallError> {
        self.0.finish(self.0.ledger.begin(&task, &client), &task, blob.as_ref())
    }

    #[rpc("free.insider", require = "insider")]
    fn insider(&self, task: Task, blob: Option<Attachment>, client: Client) -> Result<Answer, CallError> {
        self.0.finish(self.0.ledger.begin(&task, &client), &task, blob.as_ref())
    }
}

/// Calls that wait for each other.
pub(crate) struct InOrder(pub(crate) Workshop);

#[service(crate = wslink_core, ordered)]
impl InOrder {
    #[rpc("order.now")]
    fn now(&self, task: Task, blob: Option<Attachment>, client: Client) -> Result<Answer, CallError> {
        self.0.finish(self.0.ledger.begin(&task, &client), &task, blob.as_ref())
    }

    #[rpc("order.later")]
    async fn later(
        &self,
        task: Task,
        blob: Option<Attachment>,
        client: Client,
        progress: Progress<u32>,
    ) -> Result<Answer, CallError> {
        self.0.work(task, blob, &client, Some(progress)).await
    }

    #[rpc("order.limited", timeout_ms = 300)]
    async fn limited(&self, task: Task, blob: Option<Attachment>, client: Client) -> Result<Answer, CallError> {
        self.0.work(task, blob, &client, None).await
    }

    #[rpc("order.blocking", blocking)]
    fn blocking(&self, task: Task, blob: Option<Attachment>, client: Client) -> Result<Answer, CallError> {
        self.0.finish(self.0.ledger.begin(&task, &client), &task, blob.as_ref())
    }
}

/// The methods, each with the lane of its service.
pub(crate) const METHODS: [(&str, Option<u8>); 10] = [
    ("free.now", None),
    ("free.later", None),
    ("free.limited", None),
    ("free.detached", None),
    ("free.blocking", None),
    ("free.insider", None),
    ("order.now", Some(0)),
    ("order.later", Some(0)),
    ("order.limited", Some(0)),
    ("order.blocking", Some(0)),
];

/// The longest that a call of `free.limited` and `order.limited` may take.
pub(crate) const METHOD_LIMIT: Ms = 300;

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
