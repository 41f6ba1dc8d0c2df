//! From services and settings to a server. Everything that can be wrong with them is found here.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Server, exit::Exit};
use crate::{
    Authenticator, Error, Limits, Publisher, Secret,
    connection::Shared,
    http,
    observe::Account,
    rpc::{Mounted, Routes, Service},
    topic::Hub,
};

/// Sets a [`Server`] up.
#[must_use = "`build` makes the server"]
pub struct Builder {
    services: Vec<Mounted>,
    publisher: Publisher,
    hub: Arc<Hub>,
    secret: Option<Secret>,
    authenticator: Option<Arc<dyn Authenticator>>,
    limits: Limits,
    expose_details: bool,
    strict: bool,
    observe: bool,
    metrics: bool,
    http: http::Settings,
    stop: CancellationToken,
}

impl Builder {
    pub(super) fn new() -> Self {
        let hub = Arc::new(Hub::default());
        Self {
            services: Vec::new(),
            publisher: Publisher::new(Arc::clone(&hub)),
            hub,
            secret: None,
            authenticator: None,
            limits: Limits::default(),
            expose_details: false,
            strict: false,
            observe: false,
            metrics: false,
            http: http::Settings::default(),
            stop: CancellationToken::new(),
        }
    }

    /// Mounts the service that `make` makes with the server's publisher.
    ///
    /// ```
    /// # use wslink::{Publisher, Server, service};
    /// # struct Clock { publisher: Publisher }
    /// # #[service] impl Clock {}
    /// let server = Server::builder().service(|publisher| Clock { publisher }).build()?;
    /// # Ok::<(), wslink::Error>(())
    /// ```
    pub fn service<S: Service>(self, make: impl FnOnce(Publisher) -> S) -> Self {
        let publisher = self.publisher.clone();
        self.mount(make(publisher))
    }

    /// Mounts a service.
    pub fn mount<S: Service>(mut self, service: S) -> Self {
        self.services.push(Mounted::new(service));
        self
    }

    /// What clients must say to be admitted; random unless set. It tells nobody apart; an
    /// [`authenticator`](Self::authenticator) does.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Decides who is admitted, in place of a secret.
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// The bounds of every connection.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether clients are told the text of every error and panic. Off by default: texts may name
    /// files, hosts and people.
    pub const fn expose_details(mut self, expose: bool) -> Self {
        self.expose_details = expose;
        self
    }

    /// Makes a service that is linked into the program and not mounted an error of
    /// [`build`](Self::build) instead of a warning in the log.
    pub const fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Keeps account of what the server does, for [`Server::statistics`]. Off by default: each call then
    /// looks at the clock twice.
    pub const fn observe(mut self) -> Self {
        self.observe = true;
        self
    }

    /// Tells the recorder of the [`metrics`](https://docs.rs/metrics) crate what the server does; see
    /// `docs/observability.md` for the names. Install the recorder before [`build`](Self::build).
    #[cfg(feature = "metrics")]
    pub const fn metrics(mut self) -> Self {
        self.metrics = true;
        self.observe()
    }

    /// The path of the WebSocket; `/ws` unless set, `None` for no WebSocket at all.
    pub fn endpoint(mut self, path: impl Into<Option<String>>) -> Self {
        self.http.endpoint = path.into();
        self
    }

    /// Serves the files of `folder`; `/` leads to its `index.html`.
    pub fn content(mut self, folder: impl Into<PathBuf>) -> Self {
        self.http.content = Some(folder.into());
        self
    }

    /// Serves the files of `folder` below `path`.
    pub fn folder(mut self, path: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        self.http.folders.push((path.into(), folder.into()));
        self
    }

    /// Serves the [manifest](mod@crate::manifest) at `/manifest.json`, and to clients that ask for it. Off by default: who can reach the
    /// server can read it.
    #[cfg(feature = "manifest")]
    pub const fn manifest(mut self, serve: bool) -> Self {
        self.http.manifest = serve;
        self
    }

    /// Admits pages of another origin, such as `https://app.example.com`, compared exactly. Pages that
    /// the server's own host serves, and pages on this machine when the server is reached by a loopback
    /// address, are always admitted; so are programs, which send no `Origin`.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.http.admission.origins.push(origin.into());
        self
    }

    /// Admits requests to a host name, such as `render.example.com`. Addresses and `localhost` are
    /// always admitted; other names only when they are listed, so that no page can reach the server by
    /// pointing its own name here.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.http.admission.hosts.push(host.into());
        self
    }

    /// Serves TLS.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: http::Tls) -> Self {
        self.http.tls = Some(tls);
        self
    }

    /// Lets every client end the server, by the methods `application.exit` and
    /// `application.exit.later` that launchers use.
    pub fn allow_exit(self) -> Self {
        let exit = Exit::new(self.stop.clone());
        self.mount(exit)
    }

    #[cfg(feature = "cli")]
    pub(crate) const fn knows_whom_to_admit(&self) -> bool {
        self.secret.is_some() || self.authenticator.is_some()
    }

    /// The server.
    ///
    /// # Errors
    /// Two methods or topics share a URI; a setting is out of range; `strict` is set and a linked
    /// service is not mounted; or the operating system has no entropy for the secret.
    pub fn build(self) -> Result<Server, Error> {
        self.http.check()?;
        check_limits(&self.limits)?;
        let routes = Routes::new(&self.services)?;
        report_not_mounted(&routes, self.strict)?;
        let (authenticator, secret) = gate(self.authenticator, self.secret)?;
        #[cfg(feature = "manifest")]
        let manifest = if self.http.manifest { shown(&routes) } else { None };
        #[cfg(not(feature = "manifest"))]
        let manifest = None;
        let account = self.observe.then(|| {
            let methods = routes.methods().map(|method| method.uri);
            Arc::new(Account::new(methods, clock, self.metrics))
        });
        if let Some(account) = &account {
            self.hub.keep_account(Arc::clone(account));
        }
        let shared = Shared {
            manifest,
            account,
            routes,
            hub: self.hub,
            publisher: self.publisher,
            limits: self.limits,
            authenticator,
            expose_details: self.expose_details,
        };
        Ok(Server {
            shared: Arc::new(shared),
            settings: Arc::new(self.http),
            secret,
            stop: self.stop,
            connections: TaskTracker::new(),
        })
    }
}

/// Who decides who is admitted, and the secret when that is all there is to it.
type Gate = (Arc<dyn Authenticator>, Option<Arc<Secret>>);

fn gate(authenticator: Option<Arc<dyn Authenticator>>, secret: Option<Secret>) -> Result<Gate, Error> {
    match (authenticator, secret) {
        (None, secret) => {
            let secret = Arc::new(secret.map_or_else(Secret::random, Ok)?);
            Ok((Arc::clone(&secret) as Arc<dyn Authenticator>, Some(secret)))
        }
        (Some(authenticator), None) => Ok((authenticator, None)),
        (Some(_), Some(_)) => Err(Error::Setting(
            "both a secret and an authenticator are set; drop one, or ask `Secret::admits` in the authenticator".into(),
        )),
    }
}

/// The clock of the account, which the core ring does not have.
fn clock() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// The manifest, as clients get it.
#[cfg(feature = "manifest")]
fn shown(routes: &Routes) -> Option<crate::Value> {
    serde_json::from_str(&crate::Manifest::of_services(routes.mounted()).to_json()).ok()
}

fn check_limits(limits: &Limits) -> Result<(), Error> {
    if u32::try_from(limits.message_bytes).is_err() {
        return Err(Error::Setting("`Limits::message_bytes` is over 4 GiB - 1, the most that a chunk can say; lower it".into()));
    }
    let longest = Duration::from_secs(10 * 365 * 24 * 3600);
    let Limits { handshake, hello, ping, pong, write_stall, incomplete_stall, grace, .. } = *limits;
    if [handshake, hello, ping, pong, write_stall, incomplete_stall, grace].into_iter().any(|duration| duration > longest) {
        return Err(Error::Setting("a duration in `Limits` is over ten years; lower it".into()));
    }
    if limits.frame_bytes < limits.hello_bytes {
        return Err(Error::Setting(
            "`Limits::frame_bytes` is below `hello_bytes`, so no client could say hello; raise it".into(),
        ));
    }
    Ok(())
}

fn report_not_mounted(routes: &Routes, strict: bool) -> Result<(), Error> {
    let names = routes.not_mounted().iter().map(|service| service.name);
    if strict && !routes.not_mounted().is_empty() {
        return Err(Error::NotMounted(names.collect()));
    }
    for service in routes.not_mounted() {
        tracing::warn!(
            service = service.name,
            package = service.package,
            location = %service.location,
            "a service is linked into this program but not mounted; mount it with `.service(…)`"
        );
    }
    Ok(())
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("services", &self.services.len()).field("limits", &self.limits).finish_non_exhaustive()
    }
}
