//! The other way round: connects out to a WebSocket and serves there, for servers behind a relay.

use tokio::net::TcpStream;

use crate::{
    Error, Handshake, Server,
    transport::{Address, Role},
};

/// Connects to `url` and serves that one connection to its end.
pub(crate) async fn reverse(server: &Server, url: &str, connected: impl FnOnce()) -> Result<(), Error> {
    let shake = tokio::time::timeout(server.limits().handshake, connect(url));
    let (stream, read) = shake.await.map_err(|_| unable(url, "it did not answer in time"))??;
    connected();
    let serving = server.drive(stream, Role::Client, &read, Handshake::default(), None);
    server.connections().track_future(Box::pin(serving)).await;
    server.stop();
    Ok(())
}

async fn connect(url: &str) -> Result<(TcpStream, Vec<u8>), Error> {
    let address = Address::parse(url).map_err(|error| unable(url, error))?;
    if address.is_secure() {
        return Err(unable(url, "only `ws://host:port/path` can be connected to"));
    }
    let mut stream = address.dial().await.map_err(|error| unable(url, error))?;
    let read = address.shake_hands(&mut stream).await.map_err(|error| unable(url, error))?;
    Ok((stream, read))
}

fn unable(url: &str, why: impl std::fmt::Display) -> Error {
    Error::Setting(format!("cannot serve at `{url}`: {why}"))
}
