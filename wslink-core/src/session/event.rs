//! Events of a session: the tasks of its driver.

use std::{borrow::Cow, fmt};

use super::{CallKey, ClientEvent};
use crate::{
    identity::Authenticating,
    lifecycle::Admission,
    rpc::{Events, Work},
};

/// An event of a session.
pub enum Event {
    /// Run the authenticator, and give its verdict to [`Session::authenticated`](super::Session::authenticated).
    Authenticate(Authenticating),
    /// Run the `connected` hooks, and give their answer to [`Session::admitted`](super::Session::admitted).
    Admit(Admission),
    /// The peer is authenticated: larger frames may be read from now on.
    Authenticated,
    /// Run a handler, and give its reply to [`Session::finish_call`](super::Session::finish_call).
    Run(CallKey, Work),
    /// Nobody waits for the reply of that handler any more. One that is polled inline is to be dropped, and then
    /// reported by [`Session::finish_call`](super::Session::finish_call).
    Abort(CallKey),
    /// Poll the stream of that subscription, and give its items to [`Session::stream_item`](super::Session::stream_item).
    Stream(u64, Events),
    /// Drop the stream of that subscription.
    EndStream(u64),
    /// Send a ping.
    Ping,
    /// An event of a client's session.
    Client(ClientEvent),
}

/// The close frame by which this end ends the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// Its code.
    pub code: u16,
    /// Its reason.
    pub reason: Cow<'static, str>,
    /// Whether the peer seems to read it. One that does not may come back and resume.
    pub heard: bool,
}

impl Close {
    pub(super) fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into(), heard: true }
    }

    pub(super) const fn unheard(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason), heard: false }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authenticate(_) => f.write_str("Authenticate"),
            Self::Admit(_) => f.write_str("Admit"),
            Self::Authenticated => f.write_str("Authenticated"),
            Self::Run(call, work) => {
                let kind = match work {
                    Work::Inline(_) => "inline",
                    Work::Detached(_) => "detached",
                    Work::Blocking(_) => "blocking",
                };
                write!(f, "Run({call:?}, {kind})")
            }
            Self::Abort(call) => write!(f, "Abort({call:?})"),
            Self::Stream(number, _) => write!(f, "Stream({number})"),
            Self::EndStream(number) => write!(f, "EndStream({number})"),
            Self::Ping => f.write_str("Ping"),
            Self::Client(event) => write!(f, "Client({event:?})"),
        }
    }
}
