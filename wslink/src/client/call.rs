//! One call: how it is set up, made, cancelled and answered.

use std::{
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use serde::de::DeserializeOwned;
use tokio::{sync::oneshot, time::Instant};

use super::{
    Arguments, Buffer, Error, Overflow,
    deferred::Deferred,
    handle::{Command, Handle, Outgoing},
    queue::{Item, Queue},
};
use crate::ErrorCode;
use wslink_core::wire::{Body, Draft, Target};

/// A call that is made when it is awaited, and cancelled when it is dropped unfinished.
///
/// Calls are sent in the order in which they are first polled. While the session reconnects, a new
/// call waits for the connection.
///
/// ```no_run
/// # async fn example(session: wslink::client::Session) -> Result<(), wslink::client::Error> {
/// use std::time::Duration;
///
/// let mesh: String = session
///     .call("mesh.build", ("bunny", 100_000))
///     .timeout(Duration::from_secs(30))
///     .on_progress(|done: f64| println!("{:.0} %", done * 100.0))
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call is made when it is awaited"]
pub struct Call<R> {
    inner: Deferred<Request, Body>,
    /// For errors.
    method: Box<str>,
    result: PhantomData<fn() -> R>,
}

struct Request {
    handle: Arc<Handle>,
    draft: Result<Box<dyn Draft>, Error>,
    timeout: Option<Duration>,
    progress: Option<Report>,
}

/// Takes what a method reports while it runs.
type Report = Box<dyn FnMut(&Body) + Send>;

impl<R> Call<R> {
    pub(super) fn new(handle: Arc<Handle>, method: &str, arguments: impl Arguments) -> Self {
        let draft =
            arguments.with(|parts| handle.protocol.draft(Target::Method(method), parts)).map_err(|error| Error::Encode(error.0));
        let timeout = handle.call_timeout;
        let request = Request { handle, draft, timeout, progress: None };
        Self { inner: Deferred::Prepared(request), method: method.into(), result: PhantomData }
    }

    /// How long it may take, waiting for a connection included. A server that knows deadlines drops
    /// the call then.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|request| request.timeout = Some(timeout))
    }

    /// Lets it take as long as it wants, whatever the session's timeout is.
    pub fn without_timeout(self) -> Self {
        self.with(|request| request.timeout = None)
    }

    /// Calls `report` with what the method reports while it runs. Reports that are no `P` are passed
    /// over. Never called after the call has ended.
    pub fn on_progress<P: DeserializeOwned>(self, mut report: impl FnMut(P) + Send + 'static) -> Self {
        self.with(|request| {
            request.progress = Some(Box::new(move |body| {
                if let Ok(value) = body.decode() {
                    report(value);
                }
            }));
        })
    }

    fn with(self, change: impl FnOnce(&mut Request)) -> Self {
        Self { inner: self.inner.change(change), ..self }
    }
}

impl<R: DeserializeOwned> Future for Call<R> {
    type Output = Result<R, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let body = ready!(self.inner.poll(cx, make));
        Poll::Ready(body.and_then(|body| body.decode().map_err(|why| Error::misread::<R>("the result", &self.method, &why))))
    }
}

impl<R> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call(…)")
    }
}

async fn make(request: Request) -> Result<Body, Error> {
    let Request { handle, draft, timeout, mut progress } = request;
    let draft = draft?;
    // A time too far away to be named never comes.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let answer = exchange(&handle, draft, deadline, &mut progress);
    let Some(deadline) = deadline else { return answer.await };
    match tokio::time::timeout_at(deadline, answer).await {
        Ok(Err(Error::Call(error))) if error.code() == ErrorCode::DeadlineExceeded => Err(Error::Timeout),
        Ok(answer) => answer,
        Err(_) => Err(Error::Timeout),
    }
}

async fn exchange(
    handle: &Handle,
    draft: Box<dyn Draft>,
    deadline: Option<Instant>,
    progress: &mut Option<Report>,
) -> Result<Body, Error> {
    let greeting = handle.connected().await?;
    let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let id = handle.next_id();
    let (answer, answered) = oneshot::channel();
    let reports = progress.is_some().then(|| Arc::new(Queue::new(Buffer::new(64, Overflow::DropOldest))));
    let progress_queue = reports.clone();
    handle.send(Command::Call(Outgoing { epoch: greeting.epoch, id, draft, timeout, answer, progress: progress_queue }))?;
    let mut cancel = CancelOnDrop { handle, id, armed: true };
    let answered = match (progress, &reports) {
        (Some(report), Some(reports)) => reporting(answered, reports, report).await,
        _ => answered.await,
    };
    cancel.armed = false;
    // Dropped unanswered only with the whole task.
    answered.unwrap_or(Err(Error::Lost { maybe_executed: true }))
}

/// Waits for the answer; hands on every report that came before it.
async fn reporting(
    mut answered: oneshot::Receiver<Result<Body, Error>>,
    reports: &Queue,
    report: &mut (dyn FnMut(&Body) + Send),
) -> Result<Result<Body, Error>, oneshot::error::RecvError> {
    poll_fn(|cx| {
        // The answer is looked for first: when it is there, so are all reports.
        let answer = Pin::new(&mut answered).poll(cx);
        while let Poll::Ready(Some(item)) = reports.poll_pop(cx) {
            if let Item::Payload(body) = item {
                report(&body);
            }
        }
        answer
    })
    .await
}

/// Tells the task, and by it the server, that nobody waits for the answer any more.
struct CancelOnDrop<'a> {
    handle: &'a Handle,
    id: u64,
    armed: bool,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if self.armed {
            // Without a task the call is over anyway.
            let _ = self.handle.send(Command::Cancel(self.id));
        }
    }
}
