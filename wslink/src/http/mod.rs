//! The HTTP side of a server: the WebSocket endpoint and static files, as an axum router.
//!
//! The only folder that names axum, hyper and tower.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    extract::OriginalUri,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, header};

#[cfg(feature = "inspector")]
pub use self::inspector::Inspector;
#[cfg(feature = "tls")]
pub use self::tls::Tls;
pub(crate) use self::{accept::accept, headers::parse as parse_headers, reverse::reverse};
use self::{forwarded::Trusted, health::Probes, origin_policy::OriginPolicy};
use crate::{Error, connections::Connections};

mod accept;
mod client_address;
#[cfg(feature = "compression")]
mod compression;
mod origin_policy;

mod folder;
pub(crate) mod forwarded;
mod headers;
mod health;
#[cfg(feature = "inspector")]
pub(crate) mod inspector;
mod log_limit;
#[cfg(feature = "manifest")]
mod manifest;

#[cfg(feature = "prometheus")]
pub(crate) mod prometheus;
mod reverse;

mod static_files;
#[cfg(feature = "tls")]
mod tls;
pub(crate) mod upgrade;
mod write_timeout;

/// A server as HTTP shows it: its connections, and what else it offers. A clone is the same.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) connections: Connections,
    pub(crate) settings: Arc<Settings>,
}

impl Site {
    /// What the mounted services offer.
    #[cfg(feature = "manifest")]
    pub(crate) fn manifest(&self) -> crate::Manifest {
        let shared = &self.connections.shared;
        crate::Manifest::of_services(shared.routes.mounted()).limited(&shared.limits)
    }
}

/// What a server offers by HTTP.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The path of the WebSocket.
    pub(crate) endpoint: Option<String>,
    /// Files at the root.
    pub(crate) content: Option<PathBuf>,
    /// Files below a path.
    pub(crate) folders: Vec<(String, PathBuf)>,
    /// Whether links out of those folders are followed.
    pub(crate) follow_links: bool,
    #[cfg(feature = "compression")]
    pub(crate) compress: bool,
    pub(crate) origin_policy: OriginPolicy,
    /// Whose word is taken of who the client is.
    pub(crate) trusted: Trusted,
    pub(crate) probes: Probes,
    /// What every answer gets.
    pub(crate) headers: HeaderMap,
    /// Whether the manifest is at [`manifest::PATH`].
    #[cfg(feature = "manifest")]
    pub(crate) manifest: bool,
    /// Where the inspector may be served, if at all.
    #[cfg(feature = "inspector")]
    pub(crate) inspector: Option<Inspector>,
    /// Where Prometheus scrapes.
    #[cfg(feature = "prometheus")]
    pub(crate) prometheus: Option<String>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Tls>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoint: Some("/ws".to_owned()),
            content: None,
            folders: Vec::new(),
            follow_links: false,
            #[cfg(feature = "compression")]
            compress: true,
            origin_policy: OriginPolicy::default(),
            trusted: Trusted::default(),
            probes: Probes::default(),
            headers: HeaderMap::new(),
            #[cfg(feature = "manifest")]
            manifest: false,
            #[cfg(feature = "inspector")]
            inspector: None,
            #[cfg(feature = "prometheus")]
            prometheus: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl Settings {
    /// Refuses folders that are not there, and paths on which axum would panic.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for folder in self.content.iter().chain(self.folders.iter().map(|(_, folder)| folder)) {
            if !folder.is_dir() {
                return Err(Error::Setting(format!("`{}` is no folder to serve; create it, or name another", folder.display())));
            }
        }
        let taken = self.taken();
        for path in self.probes.chosen().chain(taken.iter().copied()) {
            if !path.starts_with('/') || path.len() < 2 || path.contains(['{', '}', '*', '?', '#', ':']) || path.contains("//") {
                return Err(Error::Setting(format!("`{path}` is not a path to serve; write it like `/ws`")));
            }
        }
        #[cfg(feature = "inspector")]
        if self.inspector.is_some() && self.endpoint.is_none() {
            return Err(Error::Setting("the inspector is on, and there is no WebSocket for it; set an `endpoint`".into()));
        }
        let mut paths: Vec<_> = self.probes.chosen().chain(taken).collect();
        paths.sort_unstable();
        match paths.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::Setting(format!("`{}` is given to two things; choose another path for one", pair[0]))),
            None => Ok(()),
        }
    }

    /// The paths of everything but the probes.
    fn taken(&self) -> Vec<&str> {
        let folders = self.folders.iter().map(|(path, _)| path.as_str());
        let taken = self.endpoint.as_deref().into_iter().chain(folders);
        #[cfg(feature = "manifest")]
        let taken = taken.chain(self.manifest.then_some(manifest::PATH));
        #[cfg(feature = "prometheus")]
        let taken = taken.chain(self.prometheus.as_deref());
        #[cfg(feature = "inspector")]
        let taken = taken.chain(self.inspector.map(|_| inspector::PATH));
        taken.collect()
    }

    /// Whether connections are spoken to by TLS.
    fn is_secure(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        return false;
    }
}

/// What a server answers by HTTP as a part of an application.
pub(crate) fn router(site: &Site) -> Router {
    answers(site, false)
}

/// What a server answers that is alone.
fn whole(site: &Site) -> Router {
    answers(site, true)
}

fn answers(site: &Site, usual_probes: bool) -> Router {
    let settings = &site.settings;
    let mut router = settings.probes.add(Router::new(), site, usual_probes, &settings.taken());
    if let Some(endpoint) = &settings.endpoint {
        let site = site.clone();
        router = router.route(endpoint, get(move |request| async move { upgrade::upgrade(&site, request) }));
    }
    #[cfg(feature = "manifest")]
    if settings.manifest {
        let json = bytes::Bytes::from(site.manifest().to_json());
        let site = site.clone();
        let answer = move |request| async move { manifest::answer(&site.settings.origin_policy, &request, json) };
        router = router.route(manifest::PATH, get(answer));
    }
    #[cfg(feature = "inspector")]
    if let (Some(_), Some(endpoint)) = (settings.inspector, &settings.endpoint) {
        router = inspector::add(router, site, endpoint);
    }
    #[cfg(feature = "prometheus")]
    if let Some(path) = &settings.prometheus {
        let site = site.clone();
        router = router.route(path, get(move |request| async move { prometheus::answer(&site, request).await }));
    }
    for (path, folder) in &settings.folders {
        router = router.nest(path, static_files::files(site, folder));
    }
    if let Some(folder) = &settings.content {
        router = router.route("/", get(index)).merge(static_files::files(site, folder));
    }
    router
        .layer(middleware::from_fn_with_state(site.clone(), client_address::identify))
        .layer(middleware::from_fn_with_state(site.clone(), headers::add))
}

/// Sends `/` to `index.html` with the same query, so that a page finds its parameters.
async fn index(OriginalUri(uri): OriginalUri) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, static_files::below(&uri, "index.html"))]).into_response()
}
