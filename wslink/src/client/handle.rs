//! The handle of a session's task, which sessions, calls and subscriptions share: commands and status. Knows no socket.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};

use wslink_core::{
    session::WelcomeInfo,
    wire::{Body, Draft, Protocol},
};

use super::{Disconnect, Error, State, queue::Queue};

pub(super) struct Handle {
    /// Closed when the last handle is gone, which ends the task.
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) status: watch::Receiver<Status>,
    pub(super) last_disconnect: Arc<LastDisconnect>,
    pub(super) protocol: &'static dyn Protocol,
    pub(super) call_timeout: Option<Duration>,
    pub(super) ids: AtomicU64,
}

/// What the task is asked to do.
pub(super) enum Command {
    Call(Outgoing),
    Cancel(u64),
    Subscribe(Subscribing),
    Unsubscribe(u64),
    /// Wait no longer before the next attempt to connect.
    Reconnect,
    Close,
}

/// How the connection before ended, once there was one.
#[derive(Default)]
pub(super) struct LastDisconnect(Mutex<Option<Disconnect>>);

impl LastDisconnect {
    pub(super) fn set(&self, disconnect: Disconnect) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(disconnect);
    }

    pub(super) fn get(&self) -> Option<Disconnect> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A call to send.
pub(super) struct Outgoing {
    /// The connection that it was made for.
    pub(super) epoch: u64,
    pub(super) id: u64,
    pub(super) draft: Box<dyn Draft>,
    /// How long the program waits for the answer.
    pub(super) timeout: Option<Duration>,
    pub(super) answer: oneshot::Sender<Result<Body, Error>>,
    pub(super) progress: Option<Arc<Queue>>,
}

/// A subscription to add.
pub(super) struct Subscribing {
    /// The connection that it was made for.
    pub(super) epoch: u64,
    pub(super) id: u64,
    pub(super) topic: Arc<str>,
    pub(super) draft: Box<dyn Draft>,
    pub(super) queue: Arc<Queue>,
    pub(super) answer: oneshot::Sender<Result<(), Error>>,
}

/// One connection of a session, as its hello was answered.
#[derive(Debug)]
pub(super) struct Greeting {
    /// The number of the connection.
    pub(super) epoch: u64,
    pub(super) welcome: WelcomeInfo,
}

/// How the session is.
#[derive(Clone)]
pub(super) enum Status {
    Down(State),
    Up(Arc<Greeting>),
    Closed(Error),
}

impl Status {
    pub(super) const fn state(&self) -> State {
        match self {
            Self::Down(state) => *state,
            Self::Up(_) => State::Connected,
            Self::Closed(_) => State::Closed,
        }
    }
}

impl Handle {
    /// A number for a call or a subscription, used once in the session.
    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// The greeting of the connection there is, or of the next one.
    pub(super) async fn connected(&self) -> Result<Arc<Greeting>, Error> {
        if let Status::Up(greeting) = &*self.status.borrow() {
            return Ok(Arc::clone(greeting));
        }
        let mut status = self.status.clone();
        let up = status.wait_for(|status| !matches!(status, Status::Down(_))).await;
        match up.as_deref() {
            Ok(Status::Up(greeting)) => Ok(Arc::clone(greeting)),
            Ok(Status::Closed(error)) => Err(error.clone()),
            Ok(Status::Down(_)) | Err(_) => Err(Error::Closed),
        }
    }

    pub(super) fn send(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).map_err(|_| Error::Closed)
    }
}
