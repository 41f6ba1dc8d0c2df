//! The client address and host of a request: those of the connection, or those that a trusted proxy names.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::StatusCode;

use super::{
    Site,
    forwarded::{self, Hop},
    write_timeout::WriteTimeout,
};
use crate::{
    connections::{ConnectionPermit, Subnet},
    transport::Source,
};

/// The connection that a request came in by, among the extensions of the request.
#[derive(Clone)]
pub(super) struct Arrival {
    pub(super) source: Source,
    /// Whether it speaks TLS.
    pub(super) secure: bool,
    /// The certificate that its peer showed and TLS verified.
    pub(super) certificate: Option<Bytes>,
    pub(super) permit: Arc<ConnectionPermit>,
    /// How long its peer may take nothing of an answer.
    pub(super) write_timeout: WriteTimeout,
}

/// Whose request it is, among the extensions of the request.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientAddress {
    pub(super) address: Option<SocketAddr>,
    /// Whether `address` is a proxy's, which stands for any number of clients.
    pub(super) is_proxy: bool,
    /// The host that the client asked its proxy for, where that differs from `Host`.
    pub(super) host: Option<String>,
    /// Whether the client speaks TLS; none where nobody knows.
    pub(super) secure: Option<bool>,
    /// Its own certificate; a proxy's is not one of a client.
    pub(super) certificate: Option<Bytes>,
}

impl ClientAddress {
    /// Where the client is to be counted.
    pub(super) fn subnet(&self) -> Option<Subnet> {
        self.address.filter(|_| !self.is_proxy).map(|address| address.ip().into())
    }
}

/// Finds out whose request it is, for everything that answers it.
pub(super) async fn identify(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let arrival = extensions.get::<Arrival>();
    let source = arrival.map(|arrival| arrival.source);
    // In an application of axum, what its listener says.
    let info = extensions.get::<ConnectInfo<SocketAddr>>();
    let source = source.or_else(|| info.map(|info| Source::Address(info.0)));
    let secure = arrival.is_some_and(|arrival| arrival.secure).then_some(true);
    let certificate = arrival.and_then(|arrival| arrival.certificate.clone());
    match client(&site, source, secure, certificate, &request) {
        Ok(client) => {
            request.extensions_mut().insert(client);
            next.run(request).await
        }
        Err(forwarded::Contradiction) => {
            let why = "`Forwarded` and `X-Forwarded-For` name different clients; the proxy should remove the one it does not set";
            (StatusCode::BAD_REQUEST, why).into_response()
        }
    }
}

fn client(
    site: &Site,
    source: Option<Source>,
    secure: Option<bool>,
    certificate: Option<Bytes>,
    request: &Request,
) -> Result<ClientAddress, forwarded::Contradiction> {
    let trusted = &site.settings.trusted;
    let (address, is_proxy) = match source {
        Some(Source::Address(address)) => (Some(address), trusted.contains(address.ip())),
        Some(Source::Local) => (None, true),
        None => (None, false),
    };
    let certificate = certificate.filter(|_| !is_proxy);
    let direct = ClientAddress { address, is_proxy, host: None, secure, certificate };
    if !is_proxy {
        return Ok(direct);
    }
    let Some(Hop { address, host, secure }) = forwarded::client(trusted, request.headers())? else { return Ok(direct) };
    Ok(ClientAddress {
        is_proxy: address.is_none_or(|address| trusted.contains(address.ip())),
        address: address.or(direct.address),
        host,
        secure: secure.or(direct.secure),
        certificate: None,
    })
}
