//! The other way round: connects out to a WebSocket and serves there, for servers behind a relay.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use super::Site;
use crate::{
    Error, Handshake,
    transport::{Address, ConnectError, Headers, Role},
};

/// Connects to `url` and serves that one connection to its end.
pub(crate) async fn reverse(site: &Site, url: &str, connected: impl FnOnce()) -> Result<(), Error> {
    let shake = tokio::time::timeout(site.connections.limits().handshake, connect(url));
    let late = |_| failed(url, &ConnectError::Io(io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time")));
    let (stream, read) = shake.await.map_err(late)??;
    connected();
    let serving = site.connections.drive(stream, Role::Client, &read, Handshake::default(), None);
    site.connections.tracker.track_future(Box::pin(serving)).await;
    site.connections.stop.cancel();
    Ok(())
}

/// Bytes both ways, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn connect(url: &str) -> Result<(Box<dyn Stream>, Vec<u8>), Error> {
    let address = Address::parse(url).map_err(|error| unable(url, error))?;
    let stream = address.dial().await.map_err(|error| failed(url, &error))?;
    let mut stream: Box<dyn Stream> = if address.is_secure() { encrypt(url, &address, stream).await? } else { Box::new(stream) };
    let read = address.shake_hands(&mut stream, &Headers::default()).await.map_err(|error| failed(url, &error))?;
    Ok((stream, read))
}

/// The relay has to prove itself by a public certificate, or by one of those in `SSL_CERT_FILE`.
#[cfg(feature = "client-tls")]
async fn encrypt(url: &str, address: &Address, stream: tokio::net::TcpStream) -> Result<Box<dyn Stream>, Error> {
    let mut trust = crate::transport::Trust::default();
    if let Some(file) = std::env::var_os("SSL_CERT_FILE") {
        let added = std::fs::read(&file).map_err(|error| error.to_string()).and_then(|pem| trust.add(&pem));
        added.map_err(|error| unable(url, format_args!("no certificates in `{}`: {error}", file.display())))?;
    }
    let encryption = trust.encryption().map_err(|error| unable(url, error))?;
    Ok(Box::new(encryption.encrypt(stream, address.host()).await.map_err(|error| failed(url, &error.into()))?))
}

#[cfg(not(feature = "client-tls"))]
#[expect(clippy::unused_async, reason = "the other one awaits")]
async fn encrypt(url: &str, _: &Address, _: tokio::net::TcpStream) -> Result<Box<dyn Stream>, Error> {
    Err(unable(url, "this program was built without `client-tls`; connect to `ws://host:port/path`, or build it with that"))
}

fn unable(url: &str, why: impl std::fmt::Display) -> Error {
    Error::Setting(format!("cannot serve at `{url}`: {why}"))
}

/// The network or the relay failed, which another attempt may not.
fn failed(url: &str, why: &ConnectError) -> Error {
    let kind = match why {
        ConnectError::Io(error) => error.kind(),
        ConnectError::Refused(_) => io::ErrorKind::ConnectionRefused,
    };
    Error::Io(io::Error::new(kind, format!("cannot serve at `{url}`: {why}")))
}
