//! The metrics endpoint for Prometheus: the only file that names its exporter.
//!
//! At the server's own port a client that could log in may scrape, with its secret as bearer token. The address of a
//! listener for metrics alone has to protect it.

use std::{sync::OnceLock, time::Duration};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, header};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::Site;
use super::{accept, client_address::ClientAddress};
use crate::{Error, Handshake, transport::Listener};

/// Where a listener of its own serves it.
const PATH: &str = "/metrics";

/// Seconds, from what is lost in the noise to what users complain about.
const BUCKETS: [f64; 14] = [0.000_025, 0.000_1, 0.000_25, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// Durations are kept one by one until they are looked at.
const UPKEEP: Duration = Duration::from_secs(5);

/// Makes Prometheus the recorder of this process, once.
pub(crate) fn install() -> Result<(), Error> {
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).map_err(|error| error.to_string())?;
        let handle = builder.install_recorder().map_err(|error| error.to_string())?;
        let kept = handle.clone();
        let upkeep = move || {
            loop {
                std::thread::sleep(UPKEEP);
                kept.run_upkeep();
            }
        };
        std::thread::Builder::new().name("wslink-metrics".to_owned()).spawn(upkeep).map_err(|error| error.to_string())?;
        let _ = HANDLE.set(handle);
        Ok(())
    });
    installed.clone().map_err(|error| {
        Error::Setting(format!("`prometheus` needs to be the process's recorder of metrics, and cannot: {error}; use `metrics`"))
    })
}

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Serves nothing but metrics at `listener` until the server stops.
pub(crate) async fn serve(site: &Site, listener: impl Listener) -> Result<(), Error> {
    let shown = site.clone();
    let answer = move |request: Request| async move {
        match shown.settings.origin_policy.admit(&request) {
            Ok(()) => exposition(),
            Err(refusal) => (StatusCode::FORBIDDEN, refusal.to_string()).into_response(),
        }
    };
    accept::serve(site, Router::new().route(PATH, get(answer)), listener).await
}

/// Answers a scrape at the server's own port.
pub(super) async fn answer(site: &Site, request: Request) -> Response {
    if let Err(refusal) = site.settings.origin_policy.admit(&request) {
        return (StatusCode::FORBIDDEN, refusal.to_string()).into_response();
    }
    let (parts, _) = request.into_parts();
    let client = parts.extensions.get::<ClientAddress>().cloned().unwrap_or_default();
    let handshake = Handshake::new(client.address, client.secure, &parts.uri, &parts.headers);
    match bearer(&parts.headers) {
        Some(token) if site.connections.admits(handshake, token).await => exposition(),
        _ => {
            let how = [(header::WWW_AUTHENTICATE, "Bearer")];
            (StatusCode::UNAUTHORIZED, how, "say the server's secret as a bearer token").into_response()
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn exposition() -> Response {
    let text = HANDLE.get().map(PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
