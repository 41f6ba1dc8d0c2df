//! A server: services on one dispatch table, and the connections that use it, from start to stop.
//!
//! Knows connections, not HTTP: `http` brings them here once their handshake is done.

use std::{fmt, sync::Arc};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::census::{Census, Full, Seat, Subnet};
use self::guesses::Hellos;
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
use wslink_core::connection::Shared;

mod builder;
mod census;
mod driver;
mod exit;
mod forget;
mod guesses;
mod in_flight;
#[cfg(feature = "inspector")]
mod inspector;
mod listener;
#[cfg(unix)]
mod socket_file;
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
    hellos: Arc<Hellos>,
    census: Arc<Census>,
    stop: CancellationToken,
    connections: TaskTracker,
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
        crate::Manifest::of_services(self.shared.routes.mounted()).limited(&self.shared.limits)
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
        let asked = self.hellos.of(false).pace(from, self.shared.authenticator.authenticate(attempt), Result::is_ok);
        matches!(tokio::time::timeout(self.limits().hello, asked).await, Ok(Some(Ok(_))))
    }

    pub(crate) fn limits(&self) -> &crate::Limits {
        &self.shared.limits
    }

    pub(crate) const fn census(&self) -> &Arc<Census> {
        &self.census
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stop
    }

    /// Everything that must have ended before the server has.
    pub(crate) fn connections(&self) -> &TaskTracker {
        &self.connections
    }

    /// Serves one connection whose handshake is done, of whose frames `read` is already here.
    pub(crate) fn drive<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &self,
        stream: S,
        role: Role,
        read: &[u8],
        handshake: Handshake,
        seat: Option<Arc<Seat>>,
    ) -> impl Future<Output = ()> + Send + use<S> {
        let socket = WebSocket::new(stream, role, read, self.shared.limits.stranger_frame());
        let hellos = Arc::clone(&self.hellos);
        driver::drive(socket, Arc::clone(&self.shared), handshake, hellos, seat, self.stop.clone())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("methods", &self.methods().count()).field("clients", &self.publisher().clients()).finish()
    }
}
