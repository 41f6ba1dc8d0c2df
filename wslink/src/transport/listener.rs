//! Listeners of a server: TCP, Unix sockets, or any source of byte streams.

use std::{future::Future, io, net::SocketAddr};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};

/// Where connections come from.
pub trait Listener: Send + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection. Must be safe to cancel.
    ///
    /// # Errors
    /// The connection was lost, or there is no room for it at the moment: the server goes on.
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) ends it.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, Source)>> + Send;

    /// Where on a network it can be reached; nowhere unless it says so.
    fn local_address(&self) -> Option<SocketAddr> {
        None
    }
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// From this address, over a network.
    Address(SocketAddr),
    /// From a process on this machine that was let at the listener, by the mode of a socket file for
    /// example. What it says of the clients behind it is believed, as a
    /// [trusted proxy](crate::server::Builder::trust_proxy)'s word is.
    Local,
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Source)> {
        let (stream, address) = Self::accept(self).await?;
        // Replies are gathered before they are written, so there is nothing for Nagle to gather.
        let _ = stream.set_nodelay(true);
        Ok((stream, Source::Address(address)))
    }

    fn local_address(&self) -> Option<SocketAddr> {
        self.local_addr().ok()
    }
}

#[cfg(unix)]
impl Listener for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;

    async fn accept(&mut self) -> io::Result<(Self::Stream, Source)> {
        Self::accept(self).await.map(|(stream, _)| (stream, Source::Local))
    }
}
