//! The state of a session's connection, as a program sees it.

use std::{borrow::Cow, fmt};

use tokio::sync::watch;

use super::handle::Status;

/// How a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// There was no connection yet.
    Connecting,
    /// Calls are sent at once.
    Connected,
    /// The connection was lost, and calls wait for the next one.
    Reconnecting {
        /// Which attempt it is, from 1.
        attempt: u32,
    },
    /// It is over.
    Closed,
}

/// How a connection of a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disconnect {
    /// The server closed it.
    Closed {
        /// The code of its close frame: 1001 from a server that stops, 1005 where there is none.
        code: u16,
        /// The reason that the server gives; may be empty.
        reason: String,
    },
    /// The client gave it up, because the server was silent or broke the rules of the protocol.
    GaveUp {
        /// The code of the close frame that was sent.
        code: u16,
        /// What was wrong.
        reason: Cow<'static, str>,
    },
    /// The network or the server failed without a close frame.
    Lost,
}

impl fmt::Display for Disconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { code, reason } if reason.is_empty() => write!(f, "closed by the server with {code}"),
            Self::Closed { code, reason } => write!(f, "closed by the server with {code}: {reason}"),
            Self::GaveUp { reason, .. } => write!(f, "given up: {reason}"),
            Self::Lost => f.write_str("lost without a close frame"),
        }
    }
}

/// The states of a session, as they change. Made by [`Session::states`](super::Session::states).
///
/// ```no_run
/// # async fn example(session: wslink::client::Session) {
/// let mut states = session.states();
/// while let Some(state) = states.changed().await {
///     println!("{state:?}");
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct States(watch::Receiver<Status>);

impl States {
    pub(super) const fn new(status: watch::Receiver<Status>) -> Self {
        Self(status)
    }

    /// How the session is now.
    #[must_use]
    pub fn current(&self) -> State {
        self.0.borrow().state()
    }

    /// Waits for another state; `None` when there will be none. States that last too short to be
    /// seen may be left out.
    pub async fn changed(&mut self) -> Option<State> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update().state())
    }

    /// Waits for a state that is `wanted`, which may be the present one; `false` when there will be
    /// none.
    pub async fn until(&mut self, mut wanted: impl FnMut(State) -> bool) -> bool {
        self.0.wait_for(|status| wanted(status.state())).await.is_ok()
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({:?})", self.current())
    }
}
