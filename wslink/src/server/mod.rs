//! A server: services on one dispatch table, and the connections that use it, from start to stop.

use std::{fmt, sync::Arc};

pub use self::builder::Builder;
#[cfg(feature = "inspector")]
pub use crate::http::Inspector;
#[cfg(feature = "tls")]
pub use crate::http::Tls;
#[cfg(unix)]
pub use crate::transport::SocketFile;
pub use crate::transport::{Listener, Source};
use crate::{
    Error, Publisher, Secret, Statistics,
    connections::Connections,
    http::{self, Site},
};
/// The version of rustls that [`Tls::from_config`] takes a configuration of.
#[cfg(feature = "tls")]
#[doc(no_inline)]
pub use tokio_rustls::rustls;

mod builder;
mod exit;
#[cfg(feature = "inspector")]
mod inspector;

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
    site: Site,
    secret: Option<Arc<Secret>>,
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
            http::inspector::check_listener(&self.site.settings, address)?;
        }
        http::accept(&self.site, listener).await?;
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
        http::prometheus::serve(&self.site, listener).await
    }

    /// Connects to the WebSocket at `url` (`ws://host:port/path`), serves that one connection as if it
    /// had come in, and stops: for servers that only a relay can reach. Calls `connected` in between.
    ///
    /// # Errors
    /// There is no WebSocket at `url`.
    pub async fn serve_reverse(&self, url: &str, connected: impl FnOnce()) -> Result<(), Error> {
        http::reverse(&self.site, url, connected).await?;
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
        http::router(&self.site)
    }

    /// A publisher to every client, usable from any thread.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        self.connections().shared.publisher.clone()
    }

    /// What clients must say to be admitted; nothing where an [`Authenticator`](crate::Authenticator)
    /// decides that.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_deref()
    }

    /// The URIs of all methods, sorted.
    pub fn methods(&self) -> impl Iterator<Item = &'static str> {
        self.connections().shared.routes.methods().map(|method| method.uri)
    }

    /// What the server has done and is doing; `None` unless [`Builder::observe`] was asked for.
    #[must_use]
    pub fn statistics(&self) -> Option<Statistics> {
        self.connections().shared.telemetry.as_ref().map(|telemetry| telemetry.statistics())
    }

    /// What the mounted services offer.
    #[cfg(feature = "manifest")]
    #[must_use]
    pub fn manifest(&self) -> crate::Manifest {
        self.site.manifest()
    }

    /// Ends the server: nothing new is accepted, calls in flight are answered (for the time that
    /// [`Limits::grace`](crate::Limits::grace) gives them), then every connection is closed with 1001.
    pub fn stop(&self) {
        self.connections().stop.cancel();
    }

    /// Waits for [`stop`](Self::stop) and then, no longer than [`Limits::grace`](crate::Limits::grace), for the end of
    /// every connection and of every handler, those included whose client has left.
    pub async fn stopped(&self) {
        let Connections { stop, tracker, .. } = self.connections();
        stop.cancelled().await;
        tracker.close();
        if tokio::time::timeout(self.connections().limits().grace, tracker.wait()).await.is_err() {
            tracing::warn!(tasks = tracker.len(), "handlers outlive the grace period");
        }
    }

    pub(crate) const fn connections(&self) -> &Connections {
        &self.site.connections
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("methods", &self.methods().count()).field("clients", &self.publisher().clients()).finish()
    }
}
