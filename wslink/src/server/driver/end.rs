//! How a connection ends: why, how that is counted, and what the peer is told of it.

use tokio::io::{AsyncRead, AsyncWrite};

use crate::transport::WebSocket;

/// Why the connection ends.
pub(super) enum End {
    /// The peer closed, and was answered.
    Closed,
    /// Nothing can be sent any more.
    Lost,
    /// We close, and say why.
    Say(u16, &'static str),
    /// The same to a peer that does not seem to hear us.
    Deaf(u16, &'static str),
}

impl End {
    /// Whether the client may not know of it, and come back.
    pub(super) const fn is_loss(&self) -> bool {
        matches!(self, Self::Lost | Self::Deaf(..))
    }

    /// As it is counted.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Lost => "lost",
            Self::Say(code, _) | Self::Deaf(code, _) => match *code {
                1001 => "1001",
                1002 => "1002",
                1007 => "1007",
                1008 => "1008",
                1009 => "1009",
                1013 => "1013",
                _ => "other",
            },
        }
    }
}

/// Closes where that is ours to do, and lets the peer read the last of what it is sent.
pub(super) async fn finish<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>, end: End) {
    match end {
        End::Lost => return tracing::debug!("lost"),
        End::Closed => {}
        End::Say(code, reason) | End::Deaf(code, reason) => {
            tracing::debug!(code, reason, "closing a connection");
            socket.close(code, reason);
        }
    }
    socket.part().await;
}
