//! How a connection ends: why, how that is counted, and what the peer is told of it.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::{server::Seat, transport::WebSocket};

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

/// Closes where that is ours to do, and lets the peer read the last of what it is sent. Until it is gone, it keeps its
/// `seat`: who is told to go and stays would else take descriptors that nobody counts.
pub(super) async fn finish<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>, end: End, seat: Option<Arc<Seat>>) {
    match end {
        End::Lost => return tracing::debug!("lost"),
        End::Closed => {}
        End::Say(code, reason) | End::Deaf(code, reason) => {
            tracing::debug!(code, reason, "closing a connection");
            socket.close(code, reason);
        }
    }
    socket.part().await;
    drop(seat);
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, sync::Arc};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use crate::{
        Handshake, Limits, Server,
        server::{Full, Subnet},
        transport::Role,
    };

    #[tokio::test(start_paused = true)]
    async fn a_connection_keeps_its_place_until_it_is_gone() {
        let limits = Limits::with(|limits| limits.address_strangers = 1);
        let server = Server::builder().limits(limits).build().unwrap();
        let subnet = || Some(Subnet::from(IpAddr::from([192, 0, 2, 1])));
        let seat = Arc::new(server.census().enter(subnet()).unwrap());
        let (mut peer, end) = tokio::io::duplex(1024);
        let serving = tokio::spawn(server.drive(end, Role::Server, &[], Handshake::default(), Some(seat)));
        // Not masked, as a client's frames must be.
        peer.write_all(&[0x82, 0]).await.unwrap();
        assert_eq!(peer.read_u8().await.unwrap(), 0x88, "is told why");
        assert_eq!(server.census().enter(subnet()).unwrap_err(), Full::Subnet, "and has not gone");
        drop(peer);
        serving.await.unwrap();
        server.census().enter(subnet()).unwrap();
    }
}
