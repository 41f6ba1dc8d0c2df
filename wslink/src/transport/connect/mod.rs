//! Connecting out: from an address to a byte stream on which the WebSocket handshake is done. Knows nothing of the
//! messages that follow.

use std::{fmt, io};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tungstenite::{client::IntoClientRequest, handshake::client::Request};

pub(crate) use self::handshake::Headers;
#[cfg(feature = "client")]
pub(crate) use self::proxy::Proxy;

mod dial;
mod handshake;
#[cfg(feature = "client")]
mod proxy;

/// Where a WebSocket is.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    request: Request,
    host: String,
    port: u16,
    secure: bool,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum ConnectError {
    Io(io::Error),
    /// Something answered, but with no WebSocket.
    Refused(String),
}

impl Address {
    /// From `ws://host:port/path`, or `wss://`; the text of an error says what is wrong.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let request = url.into_client_request().map_err(|error| error.to_string())?;
        let uri = request.uri();
        let secure = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            _ => return Err("only `ws://host:port/path` and `wss://…` can be connected to".to_owned()),
        };
        let host = uri.host().ok_or("it names no host")?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Ok(Self { host, port, secure, request })
    }

    /// Whether it is reached through TLS.
    pub(crate) const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The name or address of the machine.
    #[cfg(feature = "client-tls")]
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Opens the TCP connection.
    pub(crate) async fn dial(&self) -> Result<TcpStream, ConnectError> {
        Ok(dial::dial(&self.host, self.port).await?)
    }

    /// Opens the TCP connection by way of a proxy.
    #[cfg(feature = "client")]
    pub(crate) async fn dial_through(&self, proxy: &Proxy) -> Result<TcpStream, ConnectError> {
        proxy.dial(&self.host, self.port).await
    }

    /// Does the WebSocket handshake over `stream`, with these headers besides those that it needs; returns the bytes
    /// that already came after it.
    pub(crate) async fn shake_hands(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        headers: &Headers,
    ) -> Result<Vec<u8>, ConnectError> {
        handshake::shake_hands(self.request.clone(), stream, headers).await
    }
}

fn refused(why: impl fmt::Display) -> ConnectError {
    ConnectError::Refused(why.to_string())
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Refused(why) => f.write_str(why),
        }
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
