//! Who sent a request and for which host: the other end of the connection, or the client that a trusted
//! proxy names.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::StatusCode;

use super::{
    forwarded::{self, Hop},
    patience::Patience,
};
use crate::{
    Server,
    server::{ConnectionPermit, Source, Subnet},
};

/// The connection that a request came in by, among the extensions of the request.
#[derive(Clone)]
pub(super) struct Arrival {
    pub(super) source: Source,
    /// Whether it speaks TLS.
    pub(super) secure: bool,
    pub(super) permit: Arc<ConnectionPermit>,
    /// How long its peer may take nothing of an answer.
    pub(super) patience: Patience,
}

/// Whose request it is, among the extensions of the request.
#[derive(Clone, Debug, Default)]
pub(super) struct Sender {
    pub(super) address: Option<SocketAddr>,
    /// Whether `address` is a proxy's, which stands for any number of clients.
    pub(super) is_proxy: bool,
    /// The host that the client asked its proxy for, where that differs from `Host`.
    pub(super) host: Option<String>,
    /// Whether the client speaks TLS; none where nobody knows.
    pub(super) secure: Option<bool>,
}

impl Sender {
    /// Where the client is to be counted.
    pub(super) fn subnet(&self) -> Option<Subnet> {
        self.address.filter(|_| !self.is_proxy).map(|address| address.ip().into())
    }
}

/// Finds out whose request it is, for everything that answers it.
pub(super) async fn identify(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let arrival = extensions.get::<Arrival>();
    let source = arrival.map(|arrival| arrival.source);
    // In an application of axum, what its listener says.
    let info = extensions.get::<ConnectInfo<SocketAddr>>();
    let source = source.or_else(|| info.map(|info| Source::Address(info.0)));
    let secure = arrival.is_some_and(|arrival| arrival.secure).then_some(true);
    match sender(&server, source, secure, &request) {
        Ok(sender) => {
            request.extensions_mut().insert(sender);
            next.run(request).await
        }
        Err(forwarded::Contradiction) => {
            let why = "`Forwarded` and `X-Forwarded-For` name different clients; the proxy should remove the one it does not set";
            (StatusCode::BAD_REQUEST, why).into_response()
        }
    }
}

fn sender(
    server: &Server,
    source: Option<Source>,
    secure: Option<bool>,
    request: &Request,
) -> Result<Sender, forwarded::Contradiction> {
    let trusted = &server.settings().trusted;
    let (address, is_proxy) = match source {
        Some(Source::Address(address)) => (Some(address), trusted.contains(address.ip())),
        Some(Source::Local) => (None, true),
        None => (None, false),
    };
    let direct = Sender { address, is_proxy, host: None, secure };
    if !is_proxy {
        return Ok(direct);
    }
    let Some(Hop { address, host, secure }) = forwarded::client(trusted, request.headers())? else { return Ok(direct) };
    Ok(Sender {
        is_proxy: address.is_none_or(|address| trusted.contains(address.ip())),
        address: address.or(direct.address),
        host,
        secure: secure.or(direct.secure),
    })
}
