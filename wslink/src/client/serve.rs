//! Serves a session while it is connected: commands of the program to the session, its events to those who wait for them.

use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::sync::{mpsc, oneshot};
use wslink_core::{
    session::{ClientEvent, Lost, Memory, Refused, SubscribeError},
    wire::Body,
};

use super::{
    Disconnect, Error,
    connection::Connection,
    error::refused,
    handle::{Command, Greeting, Outgoing, Subscribing},
    queue::{Item, Queue},
    settings::Settings,
};

/// Commands taken before anything is written.
const COMMAND_BURST: u32 = 64;

pub(super) struct Serving<'q> {
    connection: Connection,
    greeting: Arc<Greeting>,
    settings: Arc<Settings>,
    queues: &'q mut Queues,
    /// The calls that wait for their answers, by the program's ids and by the session's numbers.
    calls: HashMap<u64, Waiting>,
    numbers: HashMap<u64, u64>,
    subscribing: HashMap<u64, oneshot::Sender<Result<(), Error>>>,
    /// The secret for another hello, while it is being had.
    token: Option<Token>,
    burst: u32,
}

/// The queues of all subscriptions, over all connections.
pub(super) type Queues = HashMap<u64, Arc<Queue>>;

type Token = Pin<Box<dyn Future<Output = Result<String, Error>> + Send>>;

/// A caller that waits for its answer.
struct Waiting {
    id: u64,
    answer: oneshot::Sender<Result<Body, Error>>,
    progress: Option<Arc<Queue>>,
}

/// How a connection ended.
pub(super) enum Outcome {
    Lost(Box<Memory>),
    /// The program wants no more.
    Closed,
}

enum Next {
    Command(Option<Command>),
    Event(ClientEvent),
    Token(Result<String, Error>),
    Ended(Disconnect),
}

impl<'q> Serving<'q> {
    /// A connection whose hello was answered.
    pub(super) fn new(connection: Connection, greeting: Arc<Greeting>, settings: Arc<Settings>, queues: &'q mut Queues) -> Self {
        Self {
            connection,
            greeting,
            settings,
            queues,
            calls: HashMap::new(),
            numbers: HashMap::new(),
            subscribing: HashMap::new(),
            token: None,
            burst: 0,
        }
    }

    /// Serves the connection to its end; calls `lost` before anybody hears of it.
    pub(super) async fn serve(
        mut self,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        lost: impl FnOnce(Disconnect),
    ) -> Outcome {
        loop {
            match poll_fn(|cx| self.poll_next(cx, commands)).await {
                Next::Event(event) => self.event(event),
                Next::Token(secret) => self.refresh(secret),
                Next::Command(None | Some(Command::Close)) => {
                    self.end(true).await;
                    return Outcome::Closed;
                }
                Next::Command(Some(command)) => self.command(command),
                Next::Ended(end) => {
                    tracing::debug!(%end, "disconnected");
                    lost(end);
                    return Outcome::Lost(Box::new(self.end(false).await));
                }
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, commands: &mut mpsc::UnboundedReceiver<Command>) -> Poll<Next> {
        if self.burst < COMMAND_BURST
            && let Poll::Ready(command) = commands.poll_recv(cx)
        {
            self.burst += 1;
            return Poll::Ready(Next::Command(command));
        }
        if let Some(token) = &mut self.token
            && let Poll::Ready(secret) = token.as_mut().poll(cx)
        {
            self.token = None;
            return Poll::Ready(Next::Token(secret));
        }
        let more = std::mem::take(&mut self.burst) >= COMMAND_BURST;
        match self.connection.poll_event(cx) {
            Poll::Ready(Ok(event)) => Poll::Ready(Next::Event(event)),
            Poll::Ready(Err(ended)) => Poll::Ready(Next::Ended(ended)),
            Poll::Pending if more => self.poll_next(cx, commands),
            Poll::Pending => Poll::Pending,
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Call(call) => self.call(call),
            Command::Cancel(id) => {
                if let Some(number) = self.numbers.remove(&id) {
                    self.calls.remove(&number);
                    self.connection.session.cancel(number);
                }
            }
            Command::Subscribe(Subscribing { epoch, id, topic, draft, queue, answer }) => {
                if epoch == self.greeting.epoch {
                    self.queues.insert(id, queue);
                    self.subscribing.insert(id, answer);
                    self.connection.session.subscribe(id, topic, draft);
                }
            }
            Command::Unsubscribe(id) => {
                self.queues.remove(&id);
                self.connection.session.unsubscribe(id);
            }
            // There is a connection; handled where commands are received.
            Command::Reconnect | Command::Close => {}
        }
    }

    fn call(&mut self, call: Outgoing) {
        let Outgoing { epoch, id, draft, timeout, answer, progress } = call;
        // The caller may be gone, whatever it is answered.
        if epoch != self.greeting.epoch {
            let _ = answer.send(Err(Error::Lost { maybe_executed: false }));
            return;
        }
        match self.connection.session.call(draft, timeout) {
            Ok(number) => {
                self.numbers.insert(id, number);
                self.calls.insert(number, Waiting { id, answer, progress });
            }
            Err(Refused { bytes, limit }) => _ = answer.send(Err(Error::TooLarge { bytes, limit })),
        }
    }

    fn event(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Reply(number, answer) => {
                if let Some(waiting) = self.calls.remove(&number) {
                    self.numbers.remove(&waiting.id);
                    let _ = waiting.answer.send(answer.map_err(refused));
                }
            }
            ClientEvent::Progress(number, body) => {
                if let Some(queue) = self.calls.get(&number).and_then(|waiting| waiting.progress.as_ref()) {
                    queue.push(body);
                }
            }
            ClientEvent::Subscribed(id, outcome) => {
                let outcome = outcome.map_err(|error| match error {
                    SubscribeError::Refused(error) => Error::Call(error),
                    SubscribeError::Malformed(why) => Error::Decode(format!("the answer to a subscription is none: {why}")),
                });
                if let Err(error) = &outcome
                    && let Some(queue) = self.queues.remove(&id)
                {
                    queue.end(Some(error.clone()));
                }
                // Nobody waits when it was asked for again.
                let _ = self.subscribing.remove(&id).map(|answer| answer.send(outcome));
            }
            ClientEvent::Payload(id, payload) => {
                if let Some(queue) = self.queues.get(&id) {
                    queue.notify(payload.map_or_else(Item::Unsendable, Item::Payload));
                }
            }
            ClientEvent::Ended(id) => {
                if let Some(queue) = self.queues.remove(&id) {
                    queue.end(None);
                }
            }
            ClientEvent::Reconnected(id, continuity) => {
                if let Some(queue) = self.queues.get(&id) {
                    queue.notify(Item::Reconnected(continuity));
                }
            }
            ClientEvent::RefreshDue => {
                let settings = Arc::clone(&self.settings);
                self.token = Some(Box::pin(async move { settings.credentials.secret().await }));
            }
            ClientEvent::RefreshRefused(error) => tracing::warn!(%error, "the server refused a new token"),
            // Handled before the connection is served.
            ClientEvent::Welcome(_) => {}
        }
    }

    fn refresh(&mut self, secret: Result<String, Error>) {
        let session = &mut self.connection.session;
        let said = secret.and_then(|secret| session.hello(&secret).map_err(|error| Error::Encode(error.0)));
        if let Err(error) = said {
            tracing::warn!(%error, "there is no new token");
            session.refresh_failed(tokio::time::Instant::now().into_std());
        }
    }

    /// Ends the connection: nothing is answered any more.
    async fn end(mut self, closed: bool) -> Memory {
        let session = if closed { self.connection.close(1000, "").await } else { self.connection.abandon().await };
        let Some(Lost { memory, calls, subscribing }) = session.into_lost() else { return Memory::default() };
        for (number, maybe_executed) in calls {
            if let Some(waiting) = self.calls.remove(&number) {
                let _ = waiting.answer.send(Err(Error::Lost { maybe_executed }));
            }
        }
        // Programs that wait for a subscription ask again.
        for id in subscribing {
            self.queues.remove(&id);
        }
        memory
    }
}
