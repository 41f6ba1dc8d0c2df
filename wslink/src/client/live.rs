//! A session while it is connected: requests to the server, its answers to those who wait for them.

use std::{
    collections::HashMap,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};

use super::{
    Error,
    about::{self, About},
    error::{call_error, refused},
    handle::{Command, Outgoing, Subscribing},
    hello::Greeting,
    link::{Ended, Link},
    queue::Queue,
    refresh::Refresh,
    settings::Settings,
    table::Table,
};
use wslink_core::wire::{
    Encoded,
    message::{Body, ClientWire, Message, Parts, Received},
};

/// Commands taken before something is written.
const COMMAND_BURST: u32 = 64;

pub(super) struct Live<'t> {
    link: Link,
    greeting: Arc<Greeting>,
    wire: &'static dyn ClientWire,
    refresh: Refresh,
    /// What the next connection may resume this one with.
    resume: &'t mut Option<String>,
    table: &'t mut Table,
    /// By the number in their ids.
    calls: HashMap<u64, Waiting>,
    /// Subscriptions that the server was asked for, and who wants to know; those of an earlier
    /// connection are asked for again without anybody waiting.
    subscribing: HashMap<u64, Option<oneshot::Sender<Result<(), Error>>>>,
    burst: u32,
}

/// Who waits for the answer to a call.
struct Waiting {
    answer: oneshot::Sender<Result<Body, Error>>,
    progress: Option<Arc<Queue>>,
}

/// How a connection ended.
pub(super) enum Outcome {
    Lost,
    /// The program wants no more.
    Closed,
}

enum Turn {
    Command(Option<Command>),
    Message(Message),
    Ended(Ended),
}

/// The result of `wslink.subscribe`.
#[derive(Deserialize)]
struct Subscribed {
    subscription: u64,
}

impl<'t> Live<'t> {
    /// A connection that has just said hello: takes up the subscriptions there are.
    pub(super) fn new(
        link: Link,
        greeting: Arc<Greeting>,
        settings: &Arc<Settings>,
        table: &'t mut Table,
        resume: &'t mut Option<String>,
    ) -> Self {
        let (wire, refresh) = (settings.wire, Refresh::new(Arc::clone(settings), greeting.lifetime));
        resume.clone_from(&greeting.resume);
        let orphans = table.reconnected(&greeting);
        let mut live =
            Self { link, greeting, wire, refresh, resume, table, calls: HashMap::new(), subscribing: HashMap::new(), burst: 0 };
        for number in orphans {
            live.unsubscribe(number);
        }
        if live.greeting.extensions.subscribe {
            for (id, draft) in live.table.unconfirmed().collect::<Vec<_>>() {
                live.link.outbound.control(draft.seal(&about::subscription(id), None, live.greeting.max_frame));
                live.subscribing.insert(id, None);
            }
        }
        live
    }

    /// Serves the connection to its end; calls `lost` before anybody is told of it.
    pub(super) async fn serve(mut self, commands: &mut mpsc::UnboundedReceiver<Command>, lost: impl FnOnce()) -> Outcome {
        loop {
            match poll_fn(|cx| self.poll_turn(cx, commands)).await {
                Turn::Message(message) => self.message(message),
                Turn::Command(None | Some(Command::Close)) => {
                    self.fail_calls();
                    self.link.close(1000, "").await;
                    return Outcome::Closed;
                }
                Turn::Command(Some(command)) => self.command(command),
                Turn::Ended(Ended(why)) => {
                    tracing::debug!(why, "the connection is lost");
                    lost();
                    self.fail_calls();
                    self.link.abandon().await;
                    return Outcome::Lost;
                }
            }
        }
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>, commands: &mut mpsc::UnboundedReceiver<Command>) -> Poll<Turn> {
        if self.burst < COMMAND_BURST
            && let Poll::Ready(command) = commands.poll_recv(cx)
        {
            self.burst += 1;
            return Poll::Ready(Turn::Command(command));
        }
        if let Poll::Ready(hello) = self.refresh.poll(cx) {
            self.link.outbound.control(hello);
        }
        let more = std::mem::take(&mut self.burst) >= COMMAND_BURST;
        match self.link.poll_message(cx) {
            Poll::Ready(Ok(message)) => Poll::Ready(Turn::Message(message)),
            Poll::Ready(Err(ended)) => Poll::Ready(Turn::Ended(ended)),
            Poll::Pending if more => self.poll_turn(cx, commands),
            Poll::Pending => Poll::Pending,
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Call(call) => self.call(call),
            Command::Cancel(id) => {
                if self.calls.remove(&id).is_some() {
                    let cancellation = self.greeting.extensions.cancel.then(|| about::call(id));
                    let cancellation = cancellation.and_then(|call| self.system("wslink.cancel", &call));
                    self.link.outbound.cancel(id, cancellation);
                }
            }
            Command::Subscribe(wanted) => self.subscribe(wanted),
            Command::Unsubscribe(id) => {
                if let Some(number) = self.table.give_up(id, true) {
                    self.unsubscribe(number);
                }
            }
            // Taken care of where commands are received.
            Command::Close => {}
        }
    }

    fn call(&mut self, call: Outgoing) {
        let Outgoing { epoch, id, request, answer, progress } = call;
        if epoch != self.greeting.epoch {
            // The caller may be gone.
            let _ = answer.send(Err(Error::Lost { maybe_executed: false }));
            return;
        }
        self.link.outbound.call(id, request);
        self.calls.insert(id, Waiting { answer, progress });
    }

    fn subscribe(&mut self, wanted: Subscribing) {
        let Subscribing { epoch, id, topic, draft, queue, answer } = wanted;
        if epoch != self.greeting.epoch {
            return;
        }
        self.table.add(id, topic, draft.again(), queue);
        if !self.greeting.extensions.subscribe {
            // Such a server sends everything to everybody.
            let _ = answer.send(Ok(()));
            return;
        }
        self.link.outbound.control(draft.seal(&about::subscription(id), None, self.greeting.max_frame));
        self.subscribing.insert(id, Some(answer));
    }

    fn unsubscribe(&mut self, number: u64) {
        if let Some(request) = self.system("wslink.unsubscribe", &number) {
            self.link.outbound.control(request);
        }
    }

    /// A request to the server itself, whose answer does not matter.
    fn system(&self, method: &str, argument: &dyn erased_serde::Serialize) -> Option<Encoded> {
        let arguments = [argument];
        let parts = Parts { positional: Some(&arguments), named: None };
        let draft = self.wire.draft(method, parts).ok()?;
        Some(draft.seal(about::NOTICE, None, self.greeting.max_frame))
    }

    fn message(&mut self, message: Message) {
        match About::of(&message.id) {
            About::Call(id) => self.answer(id, message.content),
            About::Subscription(id) => self.subscribed(id, message.content),
            About::Event(topic) => self.event(topic, message.subscription, message.content),
            About::Hello => self.greeted(message.content),
            About::Other => {}
        }
    }

    fn answer(&mut self, id: u64, content: Received) {
        let answer = match content {
            Received::Progress(body) => {
                if let Some(queue) = self.calls.get(&id).and_then(|waiting| waiting.progress.as_ref()) {
                    queue.push(body);
                }
                return;
            }
            Received::Result(body) => Ok(body),
            Received::Error(body) => Err(refused(&body)),
            Received::End => return,
        };
        if let Some(waiting) = self.calls.remove(&id) {
            // The caller may be gone.
            let _ = waiting.answer.send(answer);
        }
    }

    fn subscribed(&mut self, id: u64, content: Received) {
        let Some(answer) = self.subscribing.remove(&id) else { return };
        let number = match content {
            Received::Result(body) => {
                body.decode::<Subscribed>().map(|subscribed| subscribed.subscription).map_err(Error::Decode)
            }
            Received::Error(body) => Err(Error::Call(call_error(&body))),
            Received::Progress(_) | Received::End => return,
        };
        let outcome = match number {
            Ok(number) => {
                if !self.table.confirm(id, number) {
                    self.unsubscribe(number);
                }
                Ok(())
            }
            Err(error) => {
                if let Some(entry) = self.table.remove(id) {
                    entry.queue.end(Some(error.clone()));
                }
                Err(error)
            }
        };
        // Nobody waits when it was asked for again; who does not wait any more unsubscribes.
        let _ = answer.map(|answer| answer.send(outcome));
    }

    /// Another hello on the same connection was answered.
    fn greeted(&mut self, content: Received) {
        match content {
            Received::Result(body) => match Greeting::read(&body, self.greeting.epoch) {
                Ok(greeting) => {
                    self.refresh.admitted(greeting.lifetime);
                    *self.resume = greeting.resume;
                }
                Err(error) => tracing::warn!(%error, "what the server says of another hello is not understood"),
            },
            Received::Error(body) => tracing::warn!(error = %call_error(&body), "the server refused a new token"),
            Received::Progress(_) | Received::End => {}
        }
    }

    fn event(&mut self, topic: &str, subscription: Option<u64>, content: Received) {
        match (content, subscription) {
            (Received::Result(body), _) => self.table.event(topic, subscription, &Ok(body)),
            (Received::Error(body), _) => self.table.event(topic, subscription, &Err(call_error(&body))),
            (Received::End, Some(number)) => self.table.stream_ended(number),
            (Received::End, None) | (Received::Progress(_), _) => {}
        }
    }

    /// Nothing is answered any more.
    fn fail_calls(&mut self) {
        let unsent = self.link.outbound.unsent();
        for (id, waiting) in self.calls.drain() {
            // The caller may be gone.
            let _ = waiting.answer.send(Err(Error::Lost { maybe_executed: !unsent.contains(&id) }));
        }
        // Who waits for a subscription asks again.
        for (id, _) in self.subscribing.drain().filter(|(_, answer)| answer.is_some()) {
            self.table.remove(id);
        }
    }
}
