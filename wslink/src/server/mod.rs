//! A server: services on one dispatch table, and the connections that use it, from start to stop.
//!
//! Knows connections, not HTTP: `http` brings them here once their handshake is done.

use std::{fmt, sync::Arc};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::builder::Builder;
use self::guesses::Guesses;
#[cfg(feature = "inspector")]
pub use self::inspector::Inspector;
#[cfg(feature = "tls")]
pub use crate::http::Tls;
use crate::{
    Error, Handshake, Publisher, Secret, Statistics,
    connection::Shared,
    http,
    transport::{Role, WebSocket},
};

mod builder;
mod driver;
mod exit;
mod forget;
mod guesses;
mod in_flight;
#[cfg(feature = "inspector")]
mod inspector;
mod turns;
mod watch;

/// A server of services, for any number of listeners.
///
/// Cheap to clone; every clone is the same server.
///
/// ```no_run
/// use tokio::net::TcpListener;
/// use wslink::{Server, service};
///
/// struct Calculator;
///
/// #[service]
/// impl Calculator {
///     #[rpc("calculator.add")]
///     fn add(&self, a: f64, b: f64) -> f64 {
///         a + b
///     }
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<(), wslink::Error> {
///     let server = Server::builder().mount(Calculator).build()?;
///     println!("secret: {}", server.secret().map_or("none", |secret| secret.reveal()));
///     server.serve(TcpListener::bind("127.0.0.1:8080").await?).await
/// }
/// ```
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
    settings: Arc<http::Settings>,
    secret: Option<Arc<Secret>>,
    guesses: Arc<Guesses>,
    stop: CancellationToken,
    connections: TaskTracker,
}

impl Server {
    /// A server to be set up.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Accepts connections from `listener` and serves them until [`stop`](Self::stop).
    ///
    /// # Errors
    /// The listener cannot be used.
    pub async fn serve(&self, listener: TcpListener) -> Result<(), Error> {
        #[cfg(feature = "inspector")]
        http::inspector::check_listener(&self.settings, listener.local_addr()?)?;
        http::accept(self, listener).await?;
        self.stopped().await;
        Ok(())
    }

    /// Serves the figures that [`Builder::prometheus`] asked for at `/metrics` of `listener`, and nothing
    /// else, until [`stop`](Self::stop). Nobody is asked for a secret there: listen where only those who
    /// scrape can reach.
    ///
    /// # Errors
    /// The listener cannot be used.
    #[cfg(feature = "prometheus")]
    pub async fn serve_metrics(&self, listener: TcpListener) -> Result<(), Error> {
        http::prometheus::serve(self, listener).await
    }

    /// Connects to the WebSocket at `url` (`ws://host:port/path`), serves that one connection as if it
    /// had come in, and stops: for servers that only a relay can reach. Calls `connected` in between.
    ///
    /// # Errors
    /// There is no WebSocket at `url`.
    pub async fn serve_reverse(&self, url: &str, connected: impl FnOnce()) -> Result<(), Error> {
        http::reverse(self, url, connected).await?;
        self.stopped().await;
        Ok(())
    }

    /// The HTTP side of the server, to be merged or nested into an application of axum. Stop the
    /// server yourself before the application ends.
    pub fn router(&self) -> axum::Router {
        http::router(self)
    }

    /// A publisher to every client, usable from any thread.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        self.shared.publisher.clone()
    }

    /// What clients must say to be admitted; nothing where an [`Authenticator`](crate::Authenticator)
    /// decides that.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_deref()
    }

    /// The URIs of all methods, sorted.
    pub fn methods(&self) -> impl Iterator<Item = &'static str> {
        self.shared.routes.methods().map(|method| method.uri)
    }

    /// What the server has done and is doing; `None` unless [`Builder::observe`] was asked for.
    #[must_use]
    pub fn statistics(&self) -> Option<Statistics> {
        self.shared.account.as_ref().map(|account| account.statistics())
    }

    /// What the mounted services offer.
    #[cfg(feature = "manifest")]
    #[must_use]
    pub fn manifest(&self) -> crate::Manifest {
        crate::Manifest::of_services(self.shared.routes.mounted())
    }

    /// Ends the server: nothing new is accepted, calls in flight are answered (for the time that
    /// [`Limits::grace`](crate::Limits::grace) gives them), then every connection is closed with 1001.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits for [`stop`](Self::stop) and for the end of every connection.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
        self.connections.close();
        self.connections.wait().await;
    }

    /// A handshake was refused, for one of few reasons.
    pub(crate) fn refused(&self, reason: &'static str) {
        if let Some(account) = &self.shared.account {
            account.refused(reason);
        }
    }

    pub(crate) fn settings(&self) -> &http::Settings {
        &self.settings
    }

    /// Whether the hello of a connection with this handshake would be a good one with this token.
    #[cfg(feature = "prometheus")]
    pub(crate) async fn admits(&self, handshake: Handshake, token: &str) -> bool {
        let Ok(id) = crate::ClientId::random() else { return false };
        let from = handshake.address().map(|address| address.ip());
        let client = crate::Client::new(id, handshake, crate::Principal::default());
        let attempt = crate::Attempt::new(client, crate::Value::map([("secret", token)]));
        let asked = self.guesses.pace(from, self.shared.authenticator.authenticate(attempt), Result::is_ok);
        matches!(tokio::time::timeout(self.limits().hello, asked).await, Ok(Some(Ok(_))))
    }

    pub(crate) fn limits(&self) -> &crate::Limits {
        &self.shared.limits
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stop
    }

    /// Everything that must have ended before the server has.
    pub(crate) fn connections(&self) -> &TaskTracker {
        &self.connections
    }

    /// Serves one connection whose handshake is done, of whose frames `read` is already here.
    pub(crate) async fn drive<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &self,
        stream: S,
        role: Role,
        read: &[u8],
        handshake: Handshake,
    ) {
        let socket = WebSocket::new(stream, role, read, self.shared.limits.stranger_frame());
        driver::drive(socket, Arc::clone(&self.shared), handshake, Arc::clone(&self.guesses), self.stop.clone()).await;
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("methods", &self.methods().count()).field("clients", &self.publisher().clients()).finish()
    }
}
