//! Setting a session up: where the server is, how to be admitted, what to do when it is lost.

use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, watch},
};

use super::{
    Backoff, Error, Session, State,
    connect::{Connected, connect},
    connection::Stream,
    handle::{Handle, Status},
    settings::{BoxError, Connector, Credentials, Opening, Settings},
    task::Task,
};
#[cfg(feature = "client-tls")]
use crate::transport::Trust;
use crate::{
    Secret,
    transport::{Address, Headers, Proxy},
};
use wslink_core::{session::Memory, wire};

/// A version of the protocol.
///
/// ```
/// use wslink::client::{ProtocolVersion, Session};
///
/// let old_server = Session::builder("ws://127.0.0.1:8080/ws").protocol(ProtocolVersion::V1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolVersion {
    /// JSON: wslink before 2.0.
    V1,
    /// MessagePack in chunks: wslink from 2.0.
    #[default]
    V2,
}

/// A session to be set up.
///
/// ```no_run
/// # async fn example() -> Result<(), wslink::client::Error> {
/// use std::time::Duration;
/// use wslink::client::{Backoff, Session};
///
/// let session = Session::builder("ws://127.0.0.1:8080/ws")
///     .secret("…")
///     .reconnect(Backoff::default().attempts(10))
///     .call_timeout(Duration::from_secs(30))
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a session begins with `connect` or `start`"]
pub struct Builder {
    url: String,
    protocol: ProtocolVersion,
    credentials: Credentials,
    backoff: Option<Backoff>,
    connect_timeout: Duration,
    call_timeout: Option<Duration>,
    ping: Option<Duration>,
    message_bytes: usize,
    headers: Headers,
    proxy: Option<Proxy>,
    connector: Option<Connector>,
    #[cfg(feature = "testing")]
    dial: Option<super::settings::Dial>,
    #[cfg(feature = "client-tls")]
    trust: Trust,
}

impl Builder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            protocol: ProtocolVersion::default(),
            credentials: Credentials::Secret(Secret::published()),
            backoff: Some(Backoff::default()),
            connect_timeout: Duration::from_secs(10),
            call_timeout: None,
            ping: None,
            message_bytes: 1 << 30,
            headers: Headers::default(),
            proxy: None,
            connector: None,
            #[cfg(feature = "testing")]
            dial: None,
            #[cfg(feature = "client-tls")]
            trust: Trust::default(),
        }
    }

    /// What the server wants to hear; the published one unless set. The original servers of the second
    /// protocol take about 350 bytes, unless `WSLINK_AUTH_MSG_SIZE` says more.
    pub fn secret(self, secret: impl Into<String>) -> Self {
        Self { credentials: Credentials::Secret(Secret::new(secret)), ..self }
    }

    /// Where to get what the server wants to hear, asked at each connection, and again before that
    /// expires where the server says when: for tokens.
    ///
    /// ```
    /// use wslink::client::Session;
    ///
    /// async fn fresh_token() -> std::io::Result<String> {
    ///     # Ok(String::new())
    ///     // …
    /// }
    ///
    /// let builder = Session::builder("ws://127.0.0.1:8080/ws").token(fresh_token);
    /// ```
    pub fn token<F, T, E>(self, next: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let tokens = move || -> Pin<Box<dyn Future<Output = Result<String, BoxError>> + Send>> {
            let token = next();
            Box::pin(async { token.await.map_err(Into::into) })
        };
        Self { credentials: Credentials::Tokens(Box::new(tokens)), ..self }
    }

    /// Which version of the protocol to speak; a server of this project speaks both.
    pub fn protocol(self, protocol: ProtocolVersion) -> Self {
        Self { protocol, ..self }
    }

    /// How to come back when the connection is lost.
    pub fn reconnect(self, backoff: Backoff) -> Self {
        Self { backoff: Some(backoff), ..self }
    }

    /// Ends the session when the connection is lost.
    pub fn without_reconnect(self) -> Self {
        Self { backoff: None, ..self }
    }

    /// How long one attempt to connect and say hello may take; 10 s unless set.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        Self { connect_timeout: timeout, ..self }
    }

    /// How long a call may take that does not say so itself; for ever unless set.
    pub fn call_timeout(self, timeout: Duration) -> Self {
        Self { call_timeout: Some(timeout), ..self }
    }

    /// After which silence the server is pinged, and after which further silence it is given up; 20 s
    /// unless set. Unless set, the original servers are never given up for their silence: they answer
    /// nothing while a method runs.
    pub fn ping(self, silence: Duration) -> Self {
        Self { ping: Some(silence), ..self }
    }

    /// Bytes of the largest message that is taken from the server; 1 GiB unless set.
    pub fn message_bytes(self, bytes: usize) -> Self {
        Self { message_bytes: bytes, ..self }
    }

    /// Connects by `dial` instead of by the network.
    #[cfg(feature = "testing")]
    pub(crate) fn dial<S>(self, dial: impl Fn() -> io::Result<S> + Send + Sync + 'static) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let dial = move || dial().map(|stream| Box::new(stream) as Box<dyn Stream>);
        Self { dial: Some(Box::new(dial)), ..self }
    }

    /// A header for the request of the WebSocket handshake, such as `Authorization` for a proxy in front of the server;
    /// may be said several times.
    ///
    /// ```
    /// # fn example() -> Result<(), wslink::client::Error> {
    /// use wslink::client::Session;
    ///
    /// let builder = Session::builder("ws://127.0.0.1:8080/ws").header("Authorization", "Bearer abc")?;
    /// # Ok(())
    /// # }
    /// # example().unwrap();
    /// ```
    ///
    /// # Errors
    /// It is no header, or one that the handshake sets itself.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.headers.add(name, value).map_err(Error::Setting)?;
        Ok(self)
    }

    /// The HTTP proxy (`http://host:port` or `http://user:password@host:port`) through which to connect, by `CONNECT`.
    /// Unless set, connections are direct; variables of the environment are not looked at.
    ///
    /// # Errors
    /// It is no address of a proxy.
    pub fn proxy(self, url: &str) -> Result<Self, Error> {
        let proxy = Proxy::parse(url).map_err(|why| Error::Setting(format!("`{url}` is no proxy: {why}")))?;
        Ok(Self { proxy: Some(proxy), ..self })
    }

    /// Connects by `open` instead of TCP, for Unix sockets, tunnels and the like. The handshakes, of TLS where the address
    /// is `wss://` and of the WebSocket, are done on the stream.
    ///
    /// ```
    /// use wslink::client::Session;
    ///
    /// # #[cfg(unix)]
    /// let builder = Session::builder("ws://localhost/ws").connector(|| tokio::net::UnixStream::connect("/run/render.sock"));
    /// ```
    pub fn connector<F, O, S>(self, open: F) -> Self
    where
        F: Fn() -> O + Send + Sync + 'static,
        O: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connector = move || -> Opening {
            let stream = open();
            Box::pin(async { Ok(Box::new(stream.await?) as Box<dyn Stream>) })
        };
        Self { connector: Some(Box::new(connector)), ..self }
    }

    /// Trusts the certificates that the operating system trusts, beside those of the public authorities that come with
    /// this library.
    ///
    /// # Errors
    /// The operating system has none.
    #[cfg(feature = "client-tls")]
    pub fn system_certificates(mut self) -> Result<Self, Error> {
        self.trust.add_system().map_err(Error::Certificate)?;
        Ok(self)
    }

    /// Proves the identity of this client with a certificate, followed by those that it goes back to, and its private
    /// key, in PEM.
    ///
    /// # Errors
    /// One of them is not what it should be.
    #[cfg(feature = "client-tls")]
    pub fn identity(mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, Error> {
        self.trust.identify(certificate.as_ref(), key.as_ref()).map_err(Error::Certificate)?;
        Ok(self)
    }

    /// A certificate, or several, in PEM, to be trusted beside those of the public authorities: that of an authority, or
    /// that of the server itself where the server signed its own.
    ///
    /// # Errors
    /// It is no certificate.
    #[cfg(feature = "client-tls")]
    pub fn certificate(mut self, pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        self.trust.add(pem.as_ref()).map_err(Error::Certificate)?;
        Ok(self)
    }

    /// Connects.
    ///
    /// # Errors
    /// The first attempt failed. Later ones, after the connection was lost, are repeated.
    pub async fn connect(self) -> Result<Session, Error> {
        let call_timeout = self.call_timeout;
        let settings = Arc::new(self.settings()?);
        let connected = connect(Arc::clone(&settings), 0, Memory::default()).await.map_err(|(error, _)| error)?;
        Ok(spawn(settings, call_timeout, Some(connected)))
    }

    /// Begins a session that connects by itself, as soon as the server is there.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), wslink::client::Error> {
    /// use wslink::client::Session;
    ///
    /// let session = Session::builder("ws://127.0.0.1:8080/ws").start()?;
    /// let sum: f64 = session.call("calculator.add", (1.0, 2.0)).await?; // waits for the server
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The address cannot be one of a server.
    ///
    /// # Panics
    /// When called outside a tokio runtime.
    pub fn start(self) -> Result<Session, Error> {
        let call_timeout = self.call_timeout;
        Ok(spawn(Arc::new(self.settings()?), call_timeout, None))
    }

    fn settings(self) -> Result<Settings, Error> {
        let address = Address::parse(&self.url).map_err(Error::Address)?;
        if address.is_secure() && cfg!(not(feature = "client-tls")) {
            return Err(Error::Address("`wss://` needs the feature `client-tls` of wslink".to_owned()));
        }
        Ok(Settings {
            #[cfg(feature = "client-tls")]
            encryption: if address.is_secure() { Some(self.trust.encryption().map_err(Error::Certificate)?) } else { None },
            address,
            headers: self.headers,
            proxy: self.proxy,
            connector: self.connector,
            #[cfg(feature = "testing")]
            dial: self.dial,
            protocol: match self.protocol {
                ProtocolVersion::V1 => wire::V1,
                ProtocolVersion::V2 => wire::V2,
            },
            credentials: self.credentials,
            backoff: self.backoff,
            connect_timeout: self.connect_timeout,
            ping: self.ping,
            message_bytes: self.message_bytes,
        })
    }
}

fn spawn(settings: Arc<Settings>, call_timeout: Option<Duration>, connected: Option<Connected>) -> Session {
    let (commands, received) = mpsc::unbounded_channel();
    let first = connected.as_ref().map(|(_, greeting)| Status::Up(Arc::clone(greeting)));
    let (tell, status) = watch::channel(first.unwrap_or(Status::Down(State::Connecting)));
    let protocol = settings.protocol;
    let last_disconnect = Arc::default();
    let task = Task::new(settings, received, tell, Arc::clone(&last_disconnect));
    tokio::spawn(task.run(connected));
    Session::new(Arc::new(Handle { commands, status, last_disconnect, protocol, call_timeout, ids: AtomicU64::new(1) }))
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("url", &self.url).field("protocol", &self.protocol).finish_non_exhaustive()
    }
}
