//! Accepts TCP connections and speaks HTTP on them, with a deadline for each request's header.

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};

use super::router;
use crate::{Error, Server};

/// How long to wait for descriptors when there are none left.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Bytes of a request's header that are read before more is refused. As much again may have come with
/// the last of them, so this is half of what a header may have.
const HEADER_BYTES: usize = 32 * 1024;

/// The connection inside an upgraded request, where it came in here without TLS.
pub(super) type Accepted = TokioIo<TcpStream>;

/// Whose request it is, among the extensions of the request.
#[derive(Clone, Copy)]
pub(super) struct Sender(pub(super) SocketAddr);

/// Serves what comes in at `listener` until the server stops.
pub(crate) async fn accept(server: &Server, listener: TcpListener) -> Result<(), Error> {
    serve(server, router(server), listener).await
}

/// The same with another router than the server's.
pub(super) async fn serve(server: &Server, router: Router, listener: TcpListener) -> Result<(), Error> {
    loop {
        let accepted = tokio::select! {
            () = server.stopping().cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                // Replies are gathered before they are written, so there is nothing for Nagle to gather.
                let _ = stream.set_nodelay(true);
                server.connections().spawn(greet(server.clone(), router.clone(), stream, Sender(address)));
            }
            Err(error) => survive(error).await?,
        }
    }
}

/// Tells what ends one connection from what ends the listener.
async fn survive(error: io::Error) -> Result<(), Error> {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, InvalidInput, WouldBlock};
    match error.kind() {
        ConnectionAborted | ConnectionReset | Interrupted | WouldBlock => Ok(()),
        InvalidInput => Err(error.into()),
        _ => {
            tracing::error!(%error, "cannot accept a connection; trying again");
            tokio::time::sleep(EXHAUSTED).await;
            Ok(())
        }
    }
}

#[cfg(not(feature = "tls"))]
async fn greet(server: Server, router: Router, stream: TcpStream, sender: Sender) {
    speak(server, router, stream, sender).await;
}

/// Shakes hands over TLS first where the server is set up for it.
#[cfg(feature = "tls")]
async fn greet(server: Server, router: Router, stream: TcpStream, sender: Sender) {
    let Some(tls) = &server.settings().tls else { return speak(server, router, stream, sender).await };
    match tokio::time::timeout(server.limits().handshake, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => Box::pin(speak(server, router, stream, sender)).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// Speaks HTTP until the peer leaves, upgrades, or the server stops.
async fn speak<S>(server: Server, router: Router, stream: S, sender: Sender)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(server.limits().handshake).max_buf_size(HEADER_BYTES);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(sender);
        hyper::service::Service::call(&router, request)
    });
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = server.stopping().cancelled() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(server.limits().grace, connection).await {
                Ok(served) => served,
                Err(_) => return tracing::debug!("an HTTP connection was not finished in time"),
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "an HTTP connection failed");
    }
}
