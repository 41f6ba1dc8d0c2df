//! The task of a session: connects, serves one connection until it is lost, waits, connects again.

use std::{future::Future, pin::pin, sync::Arc};

use futures_util::future::{Either, select};
use tokio::sync::{mpsc, watch};

use super::{
    Error, State,
    connect::{Connected, connect},
    handle::{Command, Status},
    hello::Resume,
    live::{Live, Outcome},
    settings::Settings,
    table::Table,
};

pub(super) struct Task {
    pub(super) settings: Arc<Settings>,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) status: watch::Sender<Status>,
    pub(super) table: Table,
    /// How many connections there were.
    pub(super) connections: u64,
    /// What the next connection may resume the last one with.
    pub(super) resume: Option<String>,
}

/// The session is over, for this reason.
struct Over(Error);

impl Task {
    /// Runs the session to its end, beginning with a connection that is made already, if any.
    pub(super) async fn run(mut self, first: Option<Connected>) {
        let Over(error) = self.live(first).await;
        tracing::debug!(%error, "the session is over");
        let closed = matches!(error, Error::Closed);
        self.status.send_replace(Status::Closed(error.clone()));
        self.table.end((!closed).then_some(&error));
        // Calls that were made for a connection that is gone.
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.while_down(command);
        }
    }

    async fn live(&mut self, first: Option<Connected>) -> Over {
        let mut next = first;
        loop {
            let (link, greeting) = match next.take() {
                Some(connected) => connected,
                None => match self.connect().await {
                    Ok(connected) => connected,
                    Err(over) => return over,
                },
            };
            self.connections += 1;
            let live = Live::new(link, Arc::clone(&greeting), &self.settings, &mut self.table, &mut self.resume);
            self.status.send_replace(Status::Up(greeting));
            let lost = || drop(self.status.send_replace(Status::Down(State::Reconnecting { attempt: 1 })));
            match live.serve(&mut self.commands, lost).await {
                Outcome::Lost if self.settings.backoff.is_some() => {}
                Outcome::Lost => return Over(Error::Lost { maybe_executed: false }),
                Outcome::Closed => return Over(Error::Closed),
            }
        }
    }

    /// What the next connection is to go on from.
    fn resume(&self) -> Option<Resume> {
        let token = self.resume.clone()?;
        Some(Resume { token, received: self.table.received() })
    }

    /// Connects, as often as it takes.
    async fn connect(&mut self) -> Result<Connected, Over> {
        let lost = self.connections > 0;
        let mut attempt = 0;
        let mut last = Error::Lost { maybe_executed: false };
        loop {
            attempt += 1;
            if lost || attempt > 1 {
                let delay = self.settings.backoff.as_ref().and_then(|backoff| backoff.delay(attempt - u32::from(!lost)));
                let Some(delay) = delay else { return Err(Over(last)) };
                let state = if lost { State::Reconnecting { attempt } } else { State::Connecting };
                self.status.send_replace(Status::Down(state));
                self.meanwhile(tokio::time::sleep(delay)).await?;
            }
            let connecting = connect(Arc::clone(&self.settings), self.connections, self.resume());
            match self.meanwhile(connecting).await? {
                Ok(connected) => return Ok(connected),
                Err(error) => {
                    tracing::debug!(%error, attempt, "cannot connect");
                    if self.settings.is_final(&error) {
                        return Err(Over(error));
                    }
                    last = error;
                }
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
                self.table.give_up(id, false);
            }
            // Tried again by the one who wants it; over anyway.
            Command::Subscribe(_) | Command::Cancel(_) | Command::Close => {}
        }
    }
}
