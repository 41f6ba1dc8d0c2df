//! The end of a connection: its reason, how that is counted, and the close frame.

use std::{borrow::Cow, sync::Arc};

use tokio::io::{AsyncRead, AsyncWrite};
use wslink_core::{Disconnect, session::Close};

use super::ConnectionPermit;
use crate::transport::WebSocket;

/// Why the connection ends.
pub(super) enum End {
    /// The peer closed, and was answered.
    Closed,
    /// Nothing can be sent any more.
    Lost,
    /// This end closes, and says why.
    Close(Close),
}

impl End {
    /// The peer broke the rules of WebSockets.
    pub(super) const fn broken(code: u16, reason: &'static str) -> Self {
        Self::Close(Close { code, reason: Cow::Borrowed(reason), heard: true })
    }

    /// Whether the client may not know of it, and come back.
    pub(super) const fn is_loss(&self) -> bool {
        matches!(self, Self::Lost | Self::Close(Close { heard: false, .. }))
    }

    /// What services are told where the client is gone by it.
    pub(super) fn disconnect(&self, stopping: bool) -> Disconnect {
        match self {
            Self::Closed => Disconnect::Closed,
            Self::Close(Close { code: 1001, .. }) if stopping => Disconnect::ServerStop,
            Self::Close(Close { reason, heard: true, .. }) => Disconnect::Kicked(reason.clone()),
            Self::Lost | Self::Close(_) => Disconnect::Lost,
        }
    }

    /// Its name in statistics.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Lost => "lost",
            Self::Close(Close { code, .. }) => match *code {
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

/// Sends the close frame where this end closes, and lets the peer read the last frames. The connection keeps its
/// `permit` until it is gone: a peer that is told to go and stays would else hold a descriptor that nobody counts.
pub(super) async fn finish<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: WebSocket<S>,
    end: End,
    permit: Option<Arc<ConnectionPermit>>,
) {
    match end {
        End::Lost => return tracing::debug!("lost"),
        End::Closed => {}
        End::Close(Close { code, reason, .. }) => {
            tracing::debug!(code, %reason, "closing a connection");
            socket.close(code, &reason);
        }
    }
    socket.part().await;
    drop(permit);
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, sync::Arc};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use wslink_core::{Handshake, Limits};

    use crate::{
        Server,
        connections::{LimitReached, Subnet},
        transport::Role,
    };

    #[tokio::test(start_paused = true)]
    async fn a_connection_keeps_its_permit_until_it_is_gone() {
        let limits = Limits::with(|limits| limits.address_unauthenticated = 1);
        let server = Server::builder().limits(limits).build().unwrap();
        let subnet = || Some(Subnet::from(IpAddr::from([192, 0, 2, 1])));
        let permit = Arc::new(server.connections().limiter.acquire(subnet()).unwrap());
        let (mut peer, end) = tokio::io::duplex(1024);
        let serving = tokio::spawn(server.connections().drive(end, Role::Server, &[], Handshake::default(), Some(permit)));
        // Not masked, as a client's frames must be.
        peer.write_all(&[0x82, 0]).await.unwrap();
        assert_eq!(peer.read_u8().await.unwrap(), 0x88, "receives a close frame");
        assert_eq!(server.connections().limiter.acquire(subnet()).unwrap_err(), LimitReached::Subnet, "and is still connected");
        drop(peer);
        serving.await.unwrap();
        server.connections().limiter.acquire(subnet()).unwrap();
    }
}
