//! The inspector's page. Its files are built by `js-client/scripts/inspector.js`.
//!
//! The page itself shows nothing: what it shows, it asks for over the WebSocket, as any client.

use std::net::SocketAddr;

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};

use super::Site;
use super::{
    Settings,
    client_address::{Arrival, ClientAddress},
};
use crate::Error;

/// Where the inspector may be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inspector {
    /// By listeners at loopback addresses, which only this machine reaches; listening elsewhere is then an
    /// error.
    Loopback,
    /// By every listener, and wherever [`Server::router`](crate::Server::router) is mounted.
    Anywhere,
}

/// Where it is, beside everything else that the server serves.
pub(super) const PATH: &str = "/_wslink";

const PAGE: &str = include_str!("inspector/index.html");
const SCRIPT: &str = include_str!("inspector/inspector.js");
const STYLE: &str = include_str!("inspector/style.css");

/// The page loads nothing from elsewhere and is shown in no other page. It may open WebSockets anywhere, since not every
/// browser counts them to its own origin.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; \
    img-src blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Refuses to be reached from other machines unless that was asked for.
pub(crate) fn check_listener(settings: &Settings, address: SocketAddr) -> Result<(), Error> {
    if settings.inspector != Some(Inspector::Loopback) || address.ip().is_loopback() {
        return Ok(());
    }
    Err(Error::Setting(format!(
        "the inspector is on, and {address} is not only reached from this machine; listen at `127.0.0.1`, \
         or say `--inspector=anywhere` or `Inspector::Anywhere`"
    )))
}

/// Adds the page and its files.
pub(super) fn add(router: Router, site: &Site, endpoint: &str) -> Router {
    let page = PAGE.replace("{{endpoint}}", endpoint);
    let files = [
        (PATH.to_owned(), "text/html; charset=utf-8", page),
        (format!("{PATH}/inspector.js"), "text/javascript; charset=utf-8", SCRIPT.to_owned()),
        (format!("{PATH}/style.css"), "text/css; charset=utf-8", STYLE.to_owned()),
    ];
    files.into_iter().fold(router, |router, (path, kind, content)| {
        let site = site.clone();
        let content = bytes::Bytes::from(content);
        router.route(&path, get(move |request| async move { answer(&site.settings, &request, kind, content) }))
    })
}

fn answer(settings: &Settings, request: &Request, kind: &'static str, content: bytes::Bytes) -> Response {
    if let Err(refusal) = settings.origin_policy.admit(request) {
        return (StatusCode::FORBIDDEN, refusal.to_string()).into_response();
    }
    if settings.inspector == Some(Inspector::Loopback) && !is_from_here(request) {
        let why = "the inspector is only served by the server's own listener; allow more with `Inspector::Anywhere`";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, content).into_response()
}

/// Whether the request is known to be of this machine. Who mounted the router elsewhere listens where we
/// cannot see, and a trusted proxy here has clients anywhere.
fn is_from_here(request: &Request) -> bool {
    let client = request.extensions().get::<ClientAddress>().and_then(|client| client.address);
    request.extensions().get::<Arrival>().is_some() && client.is_some_and(|address| address.ip().is_loopback())
}
