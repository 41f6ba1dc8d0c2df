//! Health endpoints for load balancers and launchers: liveness and readiness.
//!
//! They answer any peer and any host name, since the answers contain nothing else.

use axum::{Router, routing::get};
use http::StatusCode;

use super::Site;

/// Where they ask. The outer option is whether the application said anything.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// Answered with 200 for as long as there is an answer at all.
    pub(crate) health: Option<Option<String>>,
    /// Answered with 503 from the moment at which the server stops.
    pub(crate) readiness: Option<Option<String>>,
}

impl Probes {
    /// The paths that the application chose.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &str> {
        [&self.health, &self.readiness].into_iter().filter_map(|path| path.as_ref()?.as_deref())
    }

    /// Adds them to `router`; where the application chose none, at the usual paths that are not `taken`,
    /// if `usual` says so.
    pub(super) fn add(&self, router: Router, site: &Site, usual: bool, taken: &[&str]) -> Router {
        let path = |chosen: &Option<Option<String>>, default: &str| match chosen {
            Some(path) => path.clone(),
            None => (usual && !taken.contains(&default)).then(|| default.to_owned()),
        };
        let mut router = router;
        if let Some(path) = path(&self.health, "/healthz") {
            router = router.route(&path, get(async || "alive\n"));
        }
        if let Some(path) = path(&self.readiness, "/readyz") {
            let site = site.clone();
            router = router.route(&path, get(async move || readiness(&site)));
        }
        router
    }
}

fn readiness(site: &Site) -> (StatusCode, &'static str) {
    if site.connections.stop.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}
