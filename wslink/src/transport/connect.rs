//! Connecting out: a stream to a server and the client's side of the WebSocket handshake. Knows
//! nothing of what is said afterwards.

use std::{fmt, io};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tungstenite::{
    client::IntoClientRequest,
    handshake::{
        client::{Request, Response, generate_key, generate_request},
        derive_accept_key,
        machine::TryParse,
    },
    http::{
        StatusCode,
        header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY},
    },
};

/// A longer header is no answer to a handshake.
const MAX_HEADER: usize = 16 * 1024;

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
    pub(crate) async fn dial(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((&*self.host, self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Shakes hands over `stream`; returns the bytes that already came after the handshake.
    pub(crate) async fn shake_hands(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<Vec<u8>, ConnectError> {
        // A key is for one connection.
        let mut request = self.request.clone();
        let key = generate_key();
        if let Ok(value) = key.parse() {
            request.headers_mut().insert(SEC_WEBSOCKET_KEY, value);
        }
        let (bytes, key) = generate_request(request).map_err(refused)?;
        stream.write_all(&bytes).await?;
        let mut read = Vec::with_capacity(1024);
        let (len, response) = loop {
            if read.len() > MAX_HEADER || stream.read_buf(&mut read).await? == 0 {
                return Err(refused("it ended the connection instead of answering"));
            }
            if let Some(parsed) = Response::try_parse(&read).map_err(refused)? {
                break parsed;
            }
        };
        let accept = derive_accept_key(key.as_bytes());
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).is_some_and(|value| value == accept.as_str());
        if response.status() != StatusCode::SWITCHING_PROTOCOLS || !accepted {
            return Err(refused(format_args!("it answered {} and no WebSocket", response.status())));
        }
        Ok(read.split_off(len))
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
