//! The task of a session: connects, serves one connection until it is lost, waits, connects again.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use futures_util::future::{Either, select};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use wslink_core::session::Memory;

use super::{
    Disconnect, Error, State,
    connect::{Connected, connect},
    handle::{Command, LastDisconnect, Status},
    serve::{Outcome, Queues, Serving},
    settings::Settings,
};

pub(super) struct Task {
    settings: Arc<Settings>,
    commands: mpsc::UnboundedReceiver<Command>,
    status: watch::Sender<Status>,
    last_disconnect: Arc<LastDisconnect>,
    /// The subscriptions, for the next connection.
    memory: Memory,
    queues: Queues,
    /// Subscriptions that ended while the memory was in use.
    unsubscribed: Vec<u64>,
    /// How many connections there were.
    connections: u64,
    /// How many of them in a row were lost soon after they were made.
    short_lived: u32,
}

/// A connection that lasted so long was a good one: the next one waits as if it were the first.
const LASTING: Duration = Duration::from_secs(5);

/// The session is over, for this reason.
struct Over(Error);

impl Task {
    pub(super) fn new(
        settings: Arc<Settings>,
        commands: mpsc::UnboundedReceiver<Command>,
        status: watch::Sender<Status>,
        last_disconnect: Arc<LastDisconnect>,
    ) -> Self {
        Self {
            settings,
            commands,
            status,
            last_disconnect,
            memory: Memory::default(),
            queues: Queues::new(),
            unsubscribed: Vec::new(),
            connections: 0,
            short_lived: 0,
        }
    }

    /// Runs the session to its end, beginning with a connection that is made already, if any.
    pub(super) async fn run(mut self, first: Option<Connected>) {
        let Over(error) = self.run_session(first).await;
        tracing::debug!(%error, "the session is over");
        let closed = matches!(error, Error::Closed);
        self.status.send_replace(Status::Closed(error.clone()));
        self.end((!closed).then_some(&error));
        // Calls that were made for a connection that is gone.
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.while_down(command);
        }
    }

    async fn run_session(&mut self, first: Option<Connected>) -> Over {
        let mut next = first;
        loop {
            let (mut connection, greeting) = match next.take() {
                Some(connected) => connected,
                None => match self.connect().await {
                    Ok(connected) => connected,
                    Err(over) => return over,
                },
            };
            for id in self.unsubscribed.drain(..) {
                connection.session.unsubscribe(id);
            }
            self.connections += 1;
            let serving = Serving::new(connection, Arc::clone(&greeting), Arc::clone(&self.settings), &mut self.queues);
            self.status.send_replace(Status::Up(greeting));
            let lost = |end: Disconnect| {
                self.last_disconnect.set(end);
                self.status.send_replace(Status::Down(State::Reconnecting { attempt: 1 }));
            };
            let connected = Instant::now();
            let outcome = serving.serve(&mut self.commands, lost).await;
            self.short_lived = if connected.elapsed() < LASTING { self.short_lived.saturating_add(1) } else { 0 };
            match outcome {
                Outcome::Lost(memory) if self.settings.backoff.is_some() => self.memory = *memory,
                Outcome::Lost(_) => return Over(Error::Lost { maybe_executed: false }),
                Outcome::Closed => return Over(Error::Closed),
            }
        }
    }

    /// Connects, as often as it takes.
    async fn connect(&mut self) -> Result<Connected, Over> {
        let lost = self.connections > 0;
        let mut attempt = 0;
        let mut last = Error::Lost { maybe_executed: false };
        loop {
            attempt += 1;
            if lost || attempt > 1 {
                let made = attempt - u32::from(!lost);
                let delay = self.settings.backoff.as_ref().and_then(|backoff| backoff.delay(made, self.short_lived));
                let Some(delay) = delay else { return Err(Over(last)) };
                let state = if lost { State::Reconnecting { attempt } } else { State::Connecting };
                self.status.send_replace(Status::Down(state));
                self.wait(delay).await?;
            }
            for id in self.unsubscribed.drain(..) {
                self.memory.unsubscribe(id);
            }
            let connecting = connect(Arc::clone(&self.settings), self.connections, std::mem::take(&mut self.memory));
            match self.meanwhile(connecting).await? {
                Ok(connected) => return Ok(connected),
                Err((error, memory)) => {
                    self.memory = memory;
                    tracing::debug!(%error, attempt, "cannot connect");
                    if self.settings.is_final(&error) {
                        return Err(Over(error));
                    }
                    last = error;
                }
            }
        }
    }

    /// Waits before the next attempt to connect, unless the program wants it at once.
    async fn wait(&mut self, delay: Duration) -> Result<(), Over> {
        let mut delay = pin!(tokio::time::sleep(delay));
        loop {
            let command = match select(delay.as_mut(), pin!(self.commands.recv())).await {
                Either::Left(_) => return Ok(()),
                Either::Right((command, _)) => command,
            };
            match command {
                None | Some(Command::Close) => return Err(Over(Error::Closed)),
                Some(Command::Reconnect) => return Ok(()),
                Some(command) => self.while_down(command),
            }
        }
    }

    /// Waits for `work` while there is no connection.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Over> {
        let mut work = pin!(work);
        loop {
            let command = match select(work.as_mut(), pin!(self.commands.recv())).await {
                Either::Left((done, _)) => return Ok(done),
                Either::Right((command, _)) => command,
            };
            match command {
                None | Some(Command::Close) => return Err(Over(Error::Closed)),
                Some(command) => self.while_down(command),
            }
        }
    }

    fn while_down(&mut self, command: Command) {
        match command {
            Command::Call(call) => {
                // Made for a connection that is lost, and never sent; the caller may be gone.
                let _ = call.answer.send(Err(Error::Lost { maybe_executed: false }));
            }
            Command::Unsubscribe(id) => {
                self.queues.remove(&id);
                self.unsubscribed.push(id);
            }
            // Tried again by the program that wants it; over anyway.
            Command::Subscribe(_) | Command::Cancel(_) | Command::Reconnect | Command::Close => {}
        }
    }

    fn end(&mut self, why: Option<&Error>) {
        for (_, queue) in self.queues.drain() {
            queue.end(why.cloned());
        }
    }
}

impl Drop for Task {
    /// Whatever ended the task, no subscriber is left to wait for ever.
    fn drop(&mut self) {
        self.end(None);
    }
}
