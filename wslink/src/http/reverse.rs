//! The other way round: connects out to a WebSocket and serves there, for servers behind a relay.

use axum::body::Body;
use http::{Request, StatusCode, Uri, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tungstenite::handshake::{client::generate_key, derive_accept_key};

use super::accept::Accepted;
use crate::{Error, Server, transport::Role};

/// Connects to `url` and serves that one connection to its end.
pub(crate) async fn reverse(server: &Server, url: &str) -> Result<(), Error> {
    let shake = tokio::time::timeout(server.limits().handshake, connect(url));
    let (stream, read) = shake.await.map_err(|_| unable(url, "it did not answer in time"))??;
    let serving = server.drive(stream, Role::Client, read);
    server.connections().track_future(Box::pin(serving)).await;
    server.stop();
    Ok(())
}

async fn connect(url: &str) -> Result<(TcpStream, Vec<u8>), Error> {
    let uri: Uri = url.parse().map_err(|error| unable(url, error))?;
    let (Some("ws"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(unable(url, "only `ws://host:port/path` can be connected to"));
    };
    let stream =
        TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(80))).await.map_err(|error| unable(url, error))?;
    stream.set_nodelay(true)?;
    let key = generate_key();
    let request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, authority.as_str())
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, &key)
        .body(Body::empty())
        .map_err(|error| unable(url, error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| unable(url, error))?;
    let connection = tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(request).await.map_err(|error| unable(url, error))?;
    let accepted = response
        .headers()
        .get(header::SEC_WEBSOCKET_ACCEPT)
        .is_some_and(|accept| accept == derive_accept_key(key.as_bytes()).as_str());
    if response.status() != StatusCode::SWITCHING_PROTOCOLS || !accepted {
        connection.abort();
        return Err(unable(url, format_args!("it answered {} and no WebSocket", response.status())));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(|error| unable(url, error))?;
    let parts = upgraded.downcast::<Accepted>().map_err(|_| unable(url, "the connection was replaced"))?;
    Ok((parts.io.into_inner(), parts.read_buf.into()))
}

fn unable(url: &str, why: impl std::fmt::Display) -> Error {
    Error::Setting(format!("cannot serve at `{url}`: {why}"))
}
