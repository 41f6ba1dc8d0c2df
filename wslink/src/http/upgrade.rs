//! The WebSocket handshake: from an HTTP request to a connection of the server.

use std::{future::Future, pin::Pin, sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{OriginalUri, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tungstenite::{error::ProtocolError, handshake::server::create_response};

use super::{
    Site,
    accept::no_place,
    client_address::{Arrival, ClientAddress},
    log_limit::LogLimit,
    origin_policy::Rejection,
    write_timeout::TimedStream,
};
use crate::{
    Handshake,
    connections::{ConnectionPermit, LimitReached},
    transport::Role,
};

/// Answers a request to the WebSocket endpoint.
pub(super) fn upgrade(site: &Site, mut request: Request) -> Response {
    if site.connections.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server stops").into_response();
    }
    if let Err(refusal) = site.settings.origin_policy.admit(&request) {
        static LINES: LogLimit = LogLimit::new();
        if let Some(suppressed) = LINES.admit(Instant::now()) {
            tracing::warn!(%refusal, suppressed, "refused a WebSocket");
        }
        site.connections.refused(refusal.reason());
        return refused(&refusal);
    }
    let mut response = match accepted(&request) {
        Ok(response) => response,
        Err(error) => {
            site.connections.refused("handshake");
            return no_handshake(&error);
        }
    };
    if let Some(subprotocol) = site.connections.subprotocol(request.headers()) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
    }
    let Some(pending) = request.extensions_mut().remove::<hyper::upgrade::OnUpgrade>() else {
        return (StatusCode::UPGRADE_REQUIRED, "this connection cannot become a WebSocket; use HTTP/1.1").into_response();
    };
    let client = request.extensions_mut().remove::<ClientAddress>().unwrap_or_default();
    let permit = match permit(site, &request, &client) {
        Ok(permit) => permit,
        Err(full) => {
            tracing::debug!(address = ?client.address, ?full, "refused a WebSocket");
            site.connections.refused(full.reason());
            return (no_place(full), [(header::RETRY_AFTER, "1")], "too many connections").into_response();
        }
    };
    let handshake = handshake(&request, &client);
    let write_timeout = request.extensions_mut().remove::<Arrival>().map(|arrival| arrival.write_timeout);
    let tracker = site.connections.tracker.clone();
    let site = site.clone();
    tracker.spawn(async move {
        match pending.await {
            Ok(upgraded) => {
                if let Some(write_timeout) = write_timeout {
                    write_timeout.end();
                }
                drive(&site, upgraded, handshake, permit).await;
            }
            Err(error) => tracing::debug!(%error, "a WebSocket handshake was not finished"),
        }
    });
    response
}

/// The place of the connection, at the address of its client.
fn permit(site: &Site, request: &Request, client: &ClientAddress) -> Result<Arc<ConnectionPermit>, LimitReached> {
    let Some(arrival) = request.extensions().get::<Arrival>() else {
        return site.connections.limiter.acquire(client.subnet()).map(Arc::new);
    };
    if let Some(subnet) = client.subnet() {
        arrival.permit.assign(subnet)?;
    }
    Ok(Arc::clone(&arrival.permit))
}

fn handshake(request: &Request, client: &ClientAddress) -> Handshake {
    let original = request.extensions().get::<OriginalUri>();
    let uri = original.map_or(request.uri(), |original| &original.0);
    let handshake = Handshake::new(client.address, client.secure, uri, request.headers());
    match &client.certificate {
        None => handshake,
        Some(certificate) => handshake.with_client_certificate(certificate.clone()),
    }
}

/// Runs the connection, on the bare stream where there is one. The 8 KiB with which its request was read are
/// gone when this returns.
fn drive(
    site: &Site,
    upgraded: Upgraded,
    handshake: Handshake,
    permit: Arc<ConnectionPermit>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let upgraded = match bare::<tokio::net::TcpStream>(upgraded) {
        Ok((stream, read)) => return Box::pin(site.connections.drive(stream, Role::Server, &read, handshake, Some(permit))),
        Err(upgraded) => upgraded,
    };
    #[cfg(unix)]
    let upgraded = match bare::<tokio::net::UnixStream>(upgraded) {
        Ok((stream, read)) => return Box::pin(site.connections.drive(stream, Role::Server, &read, handshake, Some(permit))),
        Err(upgraded) => upgraded,
    };
    Box::pin(site.connections.drive(TokioIo::new(upgraded), Role::Server, &[], handshake, Some(permit)))
}

/// The stream of our own listener, or of an application's, where it is an `S`; and what is read of it already.
fn bare<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(upgraded: Upgraded) -> Result<(S, Bytes), Upgraded> {
    match upgraded.downcast::<TokioIo<TimedStream<S>>>() {
        Ok(Parts { io, read_buf, .. }) => Ok((io.into_inner().into_inner(), read_buf)),
        Err(upgraded) => upgraded.downcast::<TokioIo<S>>().map(|Parts { io, read_buf, .. }| (io.into_inner(), read_buf)),
    }
}

/// The answer to a handshake that is in order.
pub(crate) fn accepted(request: &Request) -> Result<Response, tungstenite::Error> {
    create_response(&bodiless(request)).map(|response| response.map(|()| Body::empty()))
}

/// What tungstenite checks of a request.
fn bodiless(request: &Request) -> http::Request<()> {
    let mut head = http::Request::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    *head.version_mut() = request.version();
    *head.headers_mut() = request.headers().clone();
    head
}

fn refused(refusal: &Rejection) -> Response {
    (StatusCode::FORBIDDEN, refusal.to_string()).into_response()
}

/// RFC 6455, 4.4: a server of another version says which one it speaks.
pub(crate) fn no_handshake(error: &tungstenite::Error) -> Response {
    use tungstenite::Error::Protocol;
    match error {
        Protocol(ProtocolError::MissingSecWebSocketVersionHeader) => {
            let version = [(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))];
            (StatusCode::UPGRADE_REQUIRED, version, "this is a WebSocket of version 13").into_response()
        }
        Protocol(ProtocolError::MissingUpgradeWebSocketHeader | ProtocolError::MissingConnectionUpgradeHeader) => {
            let upgrade = [(header::UPGRADE, HeaderValue::from_static("websocket"))];
            (StatusCode::UPGRADE_REQUIRED, upgrade, "this is a WebSocket; connect to it with a wslink client").into_response()
        }
        error => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}
