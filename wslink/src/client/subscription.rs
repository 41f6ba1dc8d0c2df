//! Subscriptions: how one is asked for, and the stream of payloads that it is.

use std::{
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::Stream;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::{
    Arguments, Buffer, Error,
    arguments::sealed::Sealed,
    deferred::Deferred,
    handle::{Command, Handle, Subscribing},
    queue::{Item, Queue},
};
use wslink_core::wire::{Draft, Parts, Target};

/// A subscription that begins when it is awaited.
///
/// ```no_run
/// # async fn example(session: wslink::client::Session) -> Result<(), wslink::client::Error> {
/// use wslink::{Value, client::{Buffer, named}};
///
/// let filter = Value::map([("view", 3)]);
/// let mut frames = session
///     .subscribe_untyped::<Value>("render.frames")
///     .filter(named(filter))
///     .buffer(Buffer::latest())
///     .await?;
/// while let Some(frame) = frames.next().await {
///     println!("{:?}", frame?);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a subscription begins when it is awaited"]
pub struct Subscribe<T> {
    inner: Deferred<Request, Link>,
    payload: PhantomData<fn() -> T>,
}

struct Request {
    handle: Arc<Handle>,
    topic: Arc<str>,
    buffer: Buffer,
    draft: Result<Box<dyn Draft>, Error>,
}

impl<T> Subscribe<T> {
    pub(super) fn new(handle: Arc<Handle>, topic: &str, buffer: Buffer) -> Self {
        let draft = draft(&handle, topic, ());
        let request = Request { handle, topic: topic.into(), buffer, draft };
        Self { inner: Deferred::Prepared(request), payload: PhantomData }
    }

    /// What the topic is to be filtered by: its arguments, by name. Servers without subscriptions
    /// send everything regardless.
    pub fn filter(self, filter: impl Arguments) -> Self {
        self.with(|request| request.draft = draft(&request.handle, &request.topic, filter))
    }

    /// How much may wait to be taken, and what happens to more. Unless set, it loses what the topic
    /// itself may lose: a `latest` topic keeps the newest payload, a reliable one everything.
    pub fn buffer(self, buffer: Buffer) -> Self {
        self.with(|request| request.buffer = buffer)
    }

    fn with(self, change: impl FnOnce(&mut Request)) -> Self {
        Self { inner: self.inner.change(change), ..self }
    }
}

fn draft(handle: &Handle, topic: &str, filter: impl Arguments) -> Result<Box<dyn Draft>, Error> {
    filter.with(|parts| match parts.positional {
        Some(_) => Err(Error::Encode("a filter has names: `wslink::client::named(…)`".to_owned())),
        None => (topic,).with(|topic| {
            let parts = Parts { named: parts.named, ..topic };
            handle.protocol.draft(Target::Subscribe, parts).map_err(|error| Error::Encode(error.0))
        }),
    })
}

impl<T> Future for Subscribe<T> {
    type Output = Result<Subscription<T>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let link = ready!(self.inner.poll(cx, begin));
        Poll::Ready(link.map(|link| Subscription { link, payload: PhantomData }))
    }
}

/// Subscribing twice does nothing twice, so it is tried again when the connection is lost.
async fn begin(request: Request) -> Result<Link, Error> {
    let Request { handle, topic, buffer, draft } = request;
    let draft = draft?;
    let queue = Arc::new(Queue::new(buffer));
    let link = Link { id: handle.next_id(), handle, topic, queue };
    loop {
        let greeting = link.handle.connected().await?;
        let (answer, answered) = oneshot::channel();
        link.handle.send(Command::Subscribe(Subscribing {
            epoch: greeting.epoch,
            id: link.id,
            topic: Arc::clone(&link.topic),
            draft: draft.copy(),
            queue: Arc::clone(&link.queue),
            answer,
        }))?;
        match answered.await {
            Ok(Ok(())) => return Ok(link),
            Ok(Err(error)) => return Err(error),
            // Dropped unanswered: the connection was lost.
            Err(_) => {}
        }
    }
}

/// The payloads of a topic, as they are published; a stream of `Result<T, Error>`.
///
/// It stays through reconnections. Its items are errors when a payload is not a `T`, could not be
/// sent, or when the subscription failed, which then ends it. Dropping it unsubscribes.
///
/// A program that must know whether it has missed something takes [`next_event`](Self::next_event)
/// instead:
///
/// ```no_run
/// # async fn example(session: wslink::client::Session) -> Result<(), wslink::client::Error> {
/// use wslink::client::{Continuity, Event};
///
/// let mut log = session.subscribe_untyped::<String>("log.lines").await?;
/// while let Some(event) = log.next_event().await {
///     match event? {
///         Event::Payload(line) => println!("{line}"),
///         Event::Reconnected(Continuity::Resumed) => {}
///         Event::Reconnected(Continuity::Gap { missed }) => println!("… {missed} lines are missing …"),
///         Event::Reconnected(Continuity::Fresh) => println!("… lines may be missing …"),
///         Event::Skipped(count) => println!("… {count} lines came too fast …"),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Subscription<T> {
    link: Link,
    payload: PhantomData<fn() -> T>,
}

/// What ties a subscriber to its session.
struct Link {
    handle: Arc<Handle>,
    id: u64,
    topic: Arc<str>,
    queue: Arc<Queue>,
}

impl Drop for Link {
    fn drop(&mut self) {
        // Without a session there is nothing to unsubscribe from.
        let _ = self.handle.send(Command::Unsubscribe(self.id));
    }
}

/// What happens on a subscription.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<T> {
    /// A payload was published.
    Payload(T),
    /// The connection was lost and is back.
    Reconnected(super::Continuity),
    /// So many payloads were dropped here because they were not taken in time.
    Skipped(u64),
}

impl<T: DeserializeOwned> Subscription<T> {
    /// The next payload; `None` when the topic's stream has ended or the session was closed.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The next payload, or what happened to the subscription.
    pub async fn next_event(&mut self) -> Option<Result<Event<T>, Error>> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Event<T>, Error>>> {
        Poll::Ready(ready!(self.link.queue.poll_pop(cx)).map(|item| match item {
            Item::Payload(body) => {
                let wrong = |why: String| Error::misread::<T>("an event", &self.link.topic, &why);
                body.decode().map(Event::Payload).map_err(wrong)
            }
            Item::Unsendable(error) => Err(Error::Call(error)),
            Item::Reconnected(continuity) => Ok(Event::Reconnected(continuity)),
            Item::Skipped(count) => Ok(Event::Skipped(count)),
            Item::Failed(error) => Err(error),
        }))
    }
}

impl<T> Subscription<T> {
    /// The topic.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.link.topic
    }
}

impl<T: DeserializeOwned> Stream for Subscription<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(self.poll_event(cx)) {
                Some(Ok(Event::Payload(payload))) => return Poll::Ready(Some(Ok(payload))),
                Some(Ok(Event::Reconnected(_) | Event::Skipped(_))) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscription({})", self.link.topic)
    }
}

impl<T> fmt::Debug for Subscribe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscribe(…)")
    }
}
