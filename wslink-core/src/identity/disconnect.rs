//! The reasons for which a client is gone.

use std::{borrow::Cow, fmt};

/// Why a client is gone, as a parameter of a `#[disconnected]` hook.
///
/// A client that lost its connection and may still resume is not gone: its services hear `#[lost]`, and later either
/// `#[resumed]` or [`Disconnect::Expired`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disconnect {
    /// The client closed the connection.
    Closed,
    /// The connection was lost, and the client could not resume.
    Lost,
    /// The connection was lost, and the client did not resume in time, or the server had no memory left to wait for it.
    Expired,
    /// The server closed the connection, for this reason: [`Publisher::disconnect`](crate::Publisher::disconnect), a
    /// hook that refused the client, or a client that broke a rule or a limit.
    Kicked(Cow<'static, str>),
    /// The server stopped.
    ServerStop,
}

impl fmt::Display for Disconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the client closed the connection"),
            Self::Lost => f.write_str("the connection was lost"),
            Self::Expired => f.write_str("the client did not resume in time"),
            Self::Kicked(reason) => write!(f, "the server closed the connection: {reason}"),
            Self::ServerStop => f.write_str("the server stopped"),
        }
    }
}
