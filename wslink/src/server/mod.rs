//! A server: services on one dispatch table, and the connections that use it, from start to stop.
//!
//! Knows connections, not HTTP: `http` brings them here once their handshake is done.

use std::{fmt, sync::Arc};

use ::http::{HeaderMap, header};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::connection_limiter::{ConnectionLimiter, ConnectionPermit, LimitReached, Subnet};
use self::driver::Resources;
#[cfg(feature = "inspector")]
pub use self::inspector::Inspector;
#[cfg(unix)]
pub use self::socket_file::SocketFile;
pub use self::{
    builder::Builder,
    listener::{Listener, Source},
};
#[cfg(feature = "tls")]
pub use crate::http::Tls;
use crate::{
    Error, Handshake, Publisher, Secret, Statistics, http,
    transport::{Role, WebSocket},
};

mod builder;
mod connection_limiter;
mod driver;
mod exit;
#[cfg(feature = "inspector")]
mod inspector;
mod listener;
mod login_throttle;
mod session_expiry;
#[cfg(unix)]
mod socket_file;

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
    resources: Resources,
    settings: Arc<http::Settings>,
    secret: Option<Arc<Secret>>,
    limiter: Arc<ConnectionLimiter>,
}

impl Server {
    /// A server to be set up.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Accepts connections from `listener`, such as a TCP listener of tokio or a
    /// [Unix socket](SocketFile), and serves them until [`stop`](Self::stop).
    ///
    /// # Errors
    /// The listener cannot be used.
    pub async fn serve(&self, listener: impl Listener) -> Result<(), Error> {
        #[cfg(feature = "inspector")]
        if let Some(address) = listener.local_address() {
            http::inspector::check_listener(&self.settings, address)?;
        }
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
    pub async fn serve_metrics(&self, listener: impl Listener) -> Result<(), Error> {
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

    /// The HTTP side of the server, for any path of an application of axum: `nest_service("/viewer", …)`.
    /// (`nest` works as well, but leaves `/viewer/` out; `merge` puts it at the root.)
    ///
    /// Addresses of clients are those that axum's listener knows, if it is served
    /// [`into_make_service_with_connect_info::<SocketAddr>()`](axum::Router::into_make_service_with_connect_info);
    /// without, all clients count as one that has no address, and no limit per address holds. Deadlines for the
    /// headers of requests are the application's business, and so is its end: call [`stop`](Self::stop) when it
    /// begins and wait for [`stopped`](Self::stopped) after it. `examples/axum_app` shows all of it.
    ///
    /// With [`content`](Builder::content) it has a fallback, so it cannot be merged into a router that has one,
    /// too.
    pub fn router(&self) -> axum::Router {
        http::router(self)
    }

    /// A publisher to every client, usable from any thread.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        self.resources.shared.publisher.clone()
    }

    /// What clients must say to be admitted; nothing where an [`Authenticator`](crate::Authenticator)
    /// decides that.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_deref()
    }

    /// The URIs of all methods, sorted.
    pub fn methods(&self) -> impl Iterator<Item = &'static str> {
        self.resources.shared.routes.methods().map(|method| method.uri)
    }

    /// What the server has done and is doing; `None` unless [`Builder::observe`] was asked for.
    #[must_use]
    pub fn statistics(&self) -> Option<Statistics> {
        self.resources.shared.account.as_ref().map(|account| account.statistics())
    }

    /// What the mounted services offer.
    #[cfg(feature = "manifest")]
    #[must_use]
    pub fn manifest(&self) -> crate::Manifest {
        crate::Manifest::of_services(self.resources.shared.routes.mounted()).limited(&self.resources.shared.limits)
    }

    /// Ends the server: nothing new is accepted, calls in flight are answered (for the time that
    /// [`Limits::grace`](crate::Limits::grace) gives them), then every connection is closed with 1001.
    pub fn stop(&self) {
        self.resources.stop.cancel();
    }

    /// Waits for [`stop`](Self::stop) and then, no longer than [`Limits::grace`](crate::Limits::grace), for the end of
    /// every connection and of every handler, those included whose client has left.
    pub async fn stopped(&self) {
        let Resources { stop, tracker, .. } = &self.resources;
        stop.cancelled().await;
        tracker.close();
        if tokio::time::timeout(self.limits().grace, tracker.wait()).await.is_err() {
            tracing::warn!(tasks = tracker.len(), "handlers outlive the grace period");
        }
    }

    /// A handshake was refused, for one of few reasons.
    pub(crate) fn refused(&self, reason: &'static str) {
        if let Some(account) = &self.resources.shared.account {
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
        let asked = self.resources.throttle.of(false).pace(
            from,
            self.resources.shared.authenticator.authenticate(attempt),
            Result::is_ok,
        );
        matches!(tokio::time::timeout(self.limits().hello, asked).await, Ok(Some(Ok(_))))
    }

    pub(crate) fn limits(&self) -> &crate::Limits {
        &self.resources.shared.limits
    }

    pub(crate) const fn limiter(&self) -> &Arc<ConnectionLimiter> {
        &self.limiter
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.resources.stop
    }

    /// Everything that must have ended before the server has.
    pub(crate) fn connections(&self) -> &TaskTracker {
        &self.resources.tracker
    }

    /// The subprotocol for a client that offers those of its headers: the first of them that this server speaks.
    pub(crate) fn subprotocol(&self, headers: &HeaderMap) -> Option<&'static str> {
        let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|line| line.to_str().ok());
        let mut offered = lines.flat_map(|line| line.split(',')).map(str::trim);
        let protocols = &self.resources.shared.protocols;
        offered.find_map(|name| protocols.iter().filter_map(|protocol| protocol.subprotocol()).find(|known| *known == name))
    }

    /// Serves one connection whose handshake is done, of whose frames `read` is already here.
    pub(crate) fn drive<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &self,
        stream: S,
        role: Role,
        read: &[u8],
        handshake: Handshake,
        permit: Option<Arc<ConnectionPermit>>,
    ) -> impl Future<Output = ()> + Send + use<S> {
        let socket = WebSocket::new(stream, role, read, self.resources.shared.limits.unauthenticated_frame());
        let subprotocol = self.subprotocol(handshake.headers());
        driver::drive(socket, self.resources.clone(), handshake, subprotocol, permit)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("methods", &self.methods().count()).field("clients", &self.publisher().clients()).finish()
    }
}
