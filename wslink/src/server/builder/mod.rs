//! The builder of a server: services, authentication, limits, and HTTP content.

use std::{future::Future, path::PathBuf, sync::Arc};

use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

use super::exit::Exit;
#[cfg(feature = "inspector")]
use super::{
    Inspector,
    inspector::{Inspected, Inspection},
};
use crate::{Authenticator, CallError, Client, Disconnect, Limits, Principal, Publisher, Secret, http};
use wslink_core::{
    lifecycle::{HookKind, Hooked, ServiceHooks},
    rpc::{Mounted, Service},
    topic::{Ask, Hub},
};

mod build;
mod limits;

/// Sets a [`Server`](super::Server) up.
#[must_use = "`build` makes the server"]
pub struct Builder {
    services: Vec<Mounted>,
    /// Of the services and of functions, in the order in which they were set.
    hooks: Vec<ServiceHooks>,
    publisher: Publisher,
    hub: Arc<Hub>,
    secret: Option<Secret>,
    authenticator: Option<Arc<dyn Authenticator>>,
    grants: Option<Principal>,
    authorize: Option<Ask>,
    limits: Limits,
    expose_details: bool,
    strict: bool,
    exit: bool,
    observe: bool,
    metrics: bool,
    #[cfg(feature = "prometheus")]
    prometheus: bool,
    #[cfg(feature = "inspector")]
    inspected: Option<Arc<std::sync::OnceLock<Inspected>>>,
    http: http::Settings,
    headers: Vec<(String, String)>,
    stop: CancellationToken,
}

impl Builder {
    pub(super) fn new() -> Self {
        let hub = Arc::new(Hub::default());
        Self {
            services: Vec::new(),
            hooks: Vec::new(),
            publisher: Publisher::new(Arc::clone(&hub)),
            hub,
            secret: None,
            authenticator: None,
            grants: None,
            authorize: None,
            limits: Limits::default(),
            expose_details: false,
            strict: false,
            exit: false,
            observe: false,
            metrics: false,
            #[cfg(feature = "prometheus")]
            prometheus: false,
            #[cfg(feature = "inspector")]
            inspected: None,
            http: http::Settings::default(),
            headers: Vec::new(),
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
        let service = Mounted::new(service);
        self.hooks.push(service.hooks());
        self.services.push(service);
        self
    }

    /// Mounts a service of which each client has an instance of its own: `make` makes it with the client, before its
    /// `#[connected]` hooks. It lasts as long as the client, over all its connections, and is dropped after its
    /// `#[disconnected]` hooks. A panic of `make` refuses the client.
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicU64, Ordering};
    /// # use wslink::{Server, service};
    /// #[derive(Default)]
    /// struct Counter(AtomicU64);
    ///
    /// #[service]
    /// impl Counter {
    ///     /// Counts the calls of this client.
    ///     #[rpc("counter.next")]
    ///     fn next(&self) -> u64 {
    ///         self.0.fetch_add(1, Ordering::Relaxed)
    ///     }
    /// }
    ///
    /// let server = Server::builder().service_per_client(|_client, _publisher| Counter::default()).build()?;
    /// # Ok::<(), wslink::Error>(())
    /// ```
    pub fn service_per_client<S: Service>(mut self, make: impl Fn(Client, Publisher) -> S + Send + Sync + 'static) -> Self {
        let (service, hooks) = Mounted::per_client(self.hooks.len(), make);
        self.services.push(service);
        self.hooks.push(hooks);
        self
    }

    /// Runs `hook` for each client before its first call and its first event; an error refuses the client. In a service,
    /// write `#[connected]`. Hooks run in the order in which they and the services are set.
    ///
    /// ```
    /// use wslink::{CallError, Client, ErrorCode, Server};
    ///
    /// let server = Server::builder()
    ///     .on_connected(async |client: Client| match client.handshake().uri().path() {
    ///         "/closed" => Err(CallError::new(ErrorCode::Unavailable, "closed for today")),
    ///         _ => Ok(()),
    ///     })
    ///     .build()?;
    /// # Ok::<(), wslink::Error>(())
    /// ```
    pub fn on_connected<Answer>(mut self, hook: impl Fn(Client) -> Answer + Send + Sync + 'static) -> Self
    where
        Answer: Future<Output = Result<(), CallError>> + Send + 'static,
    {
        let hook = move |client, _| Box::pin(hook(client)) as Hooked;
        self.hooks.push(ServiceHooks::Function(HookKind::Connected, Box::new(hook)));
        self
    }

    /// Runs `hook` once for each client for which the hooks before it have run, after its last handler. In a service,
    /// write `#[disconnected]`. Hooks run in the reverse of the order in which they and the services are set.
    ///
    /// ```
    /// use wslink::{Client, Disconnect, Server};
    ///
    /// let server = Server::builder()
    ///     .on_disconnected(async |client: Client, reason: Disconnect| println!("{} is gone: {reason}", client.id()))
    ///     .build()?;
    /// # Ok::<(), wslink::Error>(())
    /// ```
    pub fn on_disconnected<Done>(mut self, hook: impl Fn(Client, Disconnect) -> Done + Send + Sync + 'static) -> Self
    where
        Done: Future<Output = ()> + Send + 'static,
    {
        let hook = move |client, reason| {
            let done = hook(client, reason);
            Box::pin(async move {
                done.await;
                Ok(())
            }) as Hooked
        };
        self.hooks.push(ServiceHooks::Function(HookKind::Disconnected, Box::new(hook)));
        self
    }

    /// What clients must say to be admitted; random unless set. It tells nobody apart; an
    /// [`authenticator`](Self::authenticator) does.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// What everybody who knows the secret may do: the authorities that methods and topics `require`. A
    /// server whose services require any has to say it, or have an
    /// [`authenticator`](Self::authenticator).
    pub fn secret_grants<A: Into<String>>(mut self, authorities: impl IntoIterator<Item = A>) -> Self {
        self.grants = Some(self.grants.unwrap_or_default().granting(authorities));
        self
    }

    /// Decides who is admitted, in place of a secret.
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// Decides who may see a topic where that is only known at run time; what the topic requires must be
    /// had besides.
    ///
    /// `may` is asked when a client subscribes. Of clients of the original protocol, which receive
    /// everything, it is asked once for each client and topic, before the first event. Its answers count
    /// until the client's principal changes, or [`Publisher::reconsider`] is called. It must not wait; a
    /// panic is a no.
    ///
    /// ```
    /// use wslink::{Client, Server};
    ///
    /// let server = Server::builder()
    ///     .authorize(|client: &Client, topic: &str| match topic.strip_prefix("users.") {
    ///         Some(name) => client.principal().name() == name,
    ///         None => true,
    ///     })
    ///     .build()?;
    /// # Ok::<(), wslink::Error>(())
    /// ```
    pub fn authorize(mut self, may: impl Fn(&Client, &str) -> bool + Send + Sync + 'static) -> Self {
        self.authorize = Some(Box::new(may));
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

    /// Collects statistics of the server, for [`Server::statistics`](super::Server::statistics). Off by
    /// default: each call then looks at the clock twice.
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

    /// Serves a page at `/_wslink` on which people see what the server offers and does, call its methods
    /// and subscribe to its topics. It asks for the secret, as any client; what it shows of the server needs
    /// the authority `wslink.inspector`, which everybody has who knows the secret.
    #[cfg(feature = "inspector")]
    pub fn inspector(mut self, reach: Inspector) -> Self {
        self.http.inspector = Some(reach);
        if self.inspected.is_some() {
            return self;
        }
        let inspected = Arc::default();
        self.inspected = Some(Arc::clone(&inspected));
        self.observe().mount(Inspection(inspected))
    }

    /// Makes Prometheus the recorder of this process, tells it what the server does, and serves that at
    /// `path`, such as `/metrics`, to whoever shows what a hello would have to, as a bearer token. `None`
    /// for no path: then only [`Server::serve_metrics`](super::Server::serve_metrics) serves it.
    #[cfg(feature = "prometheus")]
    pub fn prometheus(mut self, path: impl Into<Option<String>>) -> Self {
        self.http.prometheus = path.into();
        self.prometheus = true;
        self.metrics()
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

    /// Whether text files are compressed on their way to browsers; they are unless a proxy in front of the server does
    /// it, and this is `false`. Files that lie there compressed, as `app.js.gz`, are sent in any case.
    #[cfg(feature = "compression")]
    pub const fn compress(mut self, compress: bool) -> Self {
        self.http.compress = compress;
        self
    }

    /// Serves the [manifest](mod@crate::manifest) at `/manifest.json`, and to clients that ask for it. Off by default: who can reach the
    /// server can read it.
    #[cfg(feature = "manifest")]
    pub const fn manifest(mut self, serve: bool) -> Self {
        self.http.manifest = serve;
        self
    }

    /// Admits pages of another origin, such as `https://app.example.com`, or of `any`. Pages that
    /// the server's own host serves, and pages on this machine when the server is reached by a loopback
    /// address, are always admitted; so are programs, which send no `Origin`.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.http.origin_policy.origins.push(origin.into());
        self
    }

    /// Admits requests to a host name, such as `render.example.com`. Addresses and `localhost` are
    /// always admitted; other names only when they are listed, so that no page can reach the server by
    /// pointing its own name here. `any` admits all.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.http.origin_policy.hosts.push(host.into());
        self
    }

    /// Takes the word of proxies at these addresses, such as `127.0.0.1/32`, of who their clients are:
    /// `Forwarded`, or `X-Forwarded-For`, `-Proto` and `-Host`. The address is then the client's in
    /// [`Handshake::address`](crate::Handshake::address) and for the limits per address, the host is the one that
    /// must be [admitted](Self::allow_host). List proxies, not networks in which clients are.
    ///
    /// ```
    /// let server = wslink::Server::builder().trust_proxy("127.0.0.1/32".parse()?).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trust_proxy(mut self, proxies: IpNet) -> Self {
        self.http.trusted.0.push(proxies);
        self
    }

    /// Adds a header to everything that is served by HTTP, in place of a default one of the same name:
    /// `X-Content-Type-Options: nosniff`, `Referrer-Policy: no-referrer`, `Cache-Control: no-cache`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The path that answers 200 for as long as the process can: `/healthz` unless set, but none in a
    /// [`router`](super::Server::router).
    pub fn health(mut self, path: impl Into<Option<String>>) -> Self {
        self.http.probes.health = Some(path.into());
        self
    }

    /// The path that answers 200 while clients are taken and 503 once the server stops: `/readyz` unless set,
    /// but none in a [`router`](super::Server::router).
    pub fn readiness(mut self, path: impl Into<Option<String>>) -> Self {
        self.http.probes.readiness = Some(path.into());
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
    pub fn allow_exit(mut self) -> Self {
        if std::mem::replace(&mut self.exit, true) {
            return self;
        }
        let exit = Exit::new(self.stop.clone());
        self.mount(exit)
    }

    #[cfg(feature = "cli")]
    pub(crate) fn change_limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Whether the program itself decides who is admitted, and not a secret.
    #[cfg(feature = "cli")]
    pub(crate) const fn tells_clients_apart(&self) -> bool {
        self.authenticator.is_some()
    }

    /// Serves what links in folders lead to outside of them.
    #[cfg(feature = "cli")]
    pub(crate) const fn follow_links(mut self, follow: bool) -> Self {
        self.http.follow_links = follow;
        self
    }

    #[cfg(feature = "cli")]
    pub(crate) const fn knows_whom_to_admit(&self) -> bool {
        self.secret.is_some() || self.authenticator.is_some()
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("services", &self.services.len()).field("limits", &self.limits).finish_non_exhaustive()
    }
}
