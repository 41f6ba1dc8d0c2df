//! The services of the simulated server: methods of every kind.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use serde::{Deserialize, Serialize};
use wslink_core::{Attachment, CallError, Client, ErrorCode, Progress, Publisher, rpc, service};

use super::{
    ledger::{Audience, Ledger, Running},
    link::Ms,
    topics::{Event, bytes},
};

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
