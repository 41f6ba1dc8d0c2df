//! The HTTP side of a server: the WebSocket endpoint and static files, as an axum router.
//!
//! The only folder that names axum, hyper and tower.

use std::path::PathBuf;

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, Uri, header};

use self::admission::Admission;
#[cfg(feature = "fuzzing")]
pub use self::echo::echo;
#[cfg(feature = "tls")]
pub use self::tls::Tls;
pub(crate) use self::{accept::accept, reverse::reverse};
use crate::{Error, Server};

mod accept;
mod admission;
mod content;
#[cfg(feature = "fuzzing")]
mod echo;
#[cfg(feature = "inspector")]
pub(crate) mod inspector;
#[cfg(feature = "manifest")]
mod manifest;
#[cfg(feature = "prometheus")]
pub(crate) mod prometheus;
mod reverse;
#[cfg(feature = "tls")]
mod tls;
mod upgrade;

/// What a server offers by HTTP.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The path of the WebSocket.
    pub(crate) endpoint: Option<String>,
    /// Files at the root.
    pub(crate) content: Option<PathBuf>,
    /// Files below a path.
    pub(crate) folders: Vec<(String, PathBuf)>,
    pub(crate) admission: Admission,
    /// Whether the manifest is at [`manifest::PATH`].
    #[cfg(feature = "manifest")]
    pub(crate) manifest: bool,
    /// Where the inspector may be served, if at all.
    #[cfg(feature = "inspector")]
    pub(crate) inspector: Option<crate::server::Inspector>,
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
            admission: Admission::default(),
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
        #[cfg(feature = "prometheus")]
        let scraped = self.prometheus.as_ref();
        #[cfg(not(feature = "prometheus"))]
        let scraped = None;
        let folders = self.folders.iter().map(|(path, _)| path);
        for path in self.endpoint.iter().chain(folders).chain(scraped) {
            if !path.starts_with('/') || path.len() < 2 || path.contains(['{', '}', '*', '?', '#', ':']) || path.contains("//") {
                return Err(Error::Setting(format!("`{path}` is not a path to serve; write it like `/ws`")));
            }
        }
        let folders = self.folders.iter().map(|(path, _)| path.as_str());
        let mut paths: Vec<_> = self.endpoint.as_deref().into_iter().chain(folders).collect();
        #[cfg(feature = "manifest")]
        paths.extend(self.manifest.then_some(manifest::PATH));
        paths.extend(scraped.map(String::as_str));
        #[cfg(feature = "inspector")]
        if self.inspector.is_some() {
            if self.endpoint.is_none() {
                return Err(Error::Setting("the inspector is on, and there is no WebSocket for it; set an `endpoint`".into()));
            }
            paths.push(inspector::PATH);
        }
        paths.sort_unstable();
        match paths.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::Setting(format!("`{}` is given to two things; choose another path for one", pair[0]))),
            None => Ok(()),
        }
    }
}

/// Everything that a server answers by HTTP.
pub(crate) fn router(server: &Server) -> Router {
    let settings = server.settings();
    let mut router = Router::new();
    if let Some(endpoint) = &settings.endpoint {
        let server = server.clone();
        router = router.route(endpoint, get(move |request| async move { upgrade::upgrade(&server, request) }));
    }
    #[cfg(feature = "manifest")]
    if settings.manifest {
        let json = bytes::Bytes::from(server.manifest().to_json());
        let server = server.clone();
        let answer = move |request| async move { manifest::answer(&server.settings().admission, &request, json) };
        router = router.route(manifest::PATH, get(answer));
    }
    #[cfg(feature = "inspector")]
    if let (Some(_), Some(endpoint)) = (settings.inspector, &settings.endpoint) {
        router = inspector::add(router, server, endpoint);
    }
    #[cfg(feature = "prometheus")]
    if let Some(path) = &settings.prometheus {
        let server = server.clone();
        router = router.route(path, get(move |request| async move { prometheus::answer(&server, request).await }));
    }
    for (path, folder) in &settings.folders {
        router = router.nest(path, content::files(server, folder));
    }
    match &settings.content {
        Some(folder) => router.route("/", get(index)).merge(content::files(server, folder)),
        None => router,
    }
}

/// Sends `/` to `index.html` with the same query, so that a page finds its parameters.
async fn index(uri: Uri) -> Response {
    let to = uri.query().map_or_else(|| "index.html".to_owned(), |query| format!("index.html?{query}"));
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}
