//! Accepts connections and speaks HTTP on them, with a deadline for each request's header.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use http::{Request, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::Semaphore,
};

use super::{
    patience::{Patience, Patient},
    sender::Arrival,
    whole,
};
use crate::{
    Error, Server,
    server::{LimitReached, Listener, Source},
};

/// How long to wait for descriptors when there are none left.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Bytes of a request's header that are read before more is refused. As much again may have come with
/// the last of them, so this is half of what a header may have.
const HEADER_BYTES: usize = 32 * 1024;

/// Connections at a time that are told why they are refused. Further ones are just closed.
const REFUSING: usize = 64;

/// How long one of them has to send the request that it is not granted.
const REFUSAL: Duration = Duration::from_secs(1);

/// Serves what comes in at `listener` until the server stops.
pub(crate) async fn accept(server: &Server, listener: impl Listener) -> Result<(), Error> {
    serve(server, whole(server), listener).await
}

/// The same with another router than the server's.
pub(super) async fn serve(server: &Server, router: Router, mut listener: impl Listener) -> Result<(), Error> {
    let refusing = Arc::new(Semaphore::new(REFUSING));
    let mut exhausted = false;
    loop {
        let accepted = tokio::select! {
            () = server.stopping().cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let (stream, source) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                survive(error, &mut exhausted).await?;
                continue;
            }
        };
        exhausted = false;
        let secure = server.settings().is_secure();
        let address = match source {
            Source::Address(address) if !server.settings().trusted.contains(address.ip()) => Some(address.ip()),
            Source::Address(_) | Source::Local => None,
        };
        match server.limiter().acquire(address.map(Into::into)) {
            Ok(permit) => {
                let patience = Patience::new(server.limits().write_stall);
                let stream = Patient::new(stream, patience.clone());
                let arrival = Arrival { source, secure, permit: Arc::new(permit), patience };
                server.connections().spawn(greet(server.clone(), router.clone(), stream, arrival));
            }
            Err(full) => {
                tracing::debug!(?source, ?full, "refused a connection");
                server.refused(full.reason());
                if let Ok(permit) = Arc::clone(&refusing).try_acquire_owned()
                    && !secure
                {
                    tokio::spawn(async move {
                        refuse(stream, full).await;
                        drop(permit);
                    });
                }
            }
        }
    }
}

/// Tells what ends one connection from what ends the listener.
async fn survive(error: io::Error, exhausted: &mut bool) -> Result<(), Error> {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, InvalidInput, WouldBlock};
    match error.kind() {
        ConnectionAborted | ConnectionReset | Interrupted | WouldBlock => Ok(()),
        InvalidInput => Err(error.into()),
        _ => {
            if !std::mem::replace(exhausted, true) {
                tracing::error!(%error, "cannot accept connections; trying again until it is possible");
            }
            tokio::time::sleep(EXHAUSTED).await;
            Ok(())
        }
    }
}

/// Says that there is no place. What comes in is taken all the same: closing a socket with unread data
/// resets the connection, and the reset would overtake the answer.
async fn refuse(mut stream: impl AsyncRead + AsyncWrite + Unpin, full: LimitReached) {
    let status = no_place(full);
    let line = status.canonical_reason().unwrap_or_default();
    let answer =
        format!("HTTP/1.1 {} {line}\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n", status.as_u16());
    let farewell = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        let mut ignored = [0; 512];
        while stream.read(&mut ignored).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = tokio::time::timeout(REFUSAL, farewell).await;
}

pub(super) const fn no_place(full: LimitReached) -> StatusCode {
    match full {
        LimitReached::Server => StatusCode::SERVICE_UNAVAILABLE,
        LimitReached::Subnet => StatusCode::TOO_MANY_REQUESTS,
    }
}

#[cfg(not(feature = "tls"))]
async fn greet(server: Server, router: Router, stream: impl Stream, arrival: Arrival) {
    speak(server, router, stream, arrival).await;
}

/// Shakes hands over TLS first where the server is set up for it.
#[cfg(feature = "tls")]
async fn greet(server: Server, router: Router, stream: impl Stream, arrival: Arrival) {
    let Some(tls) = &server.settings().tls else { return speak(server, router, stream, arrival).await };
    let shaken = tokio::time::timeout(server.limits().handshake, tls.acceptor().accept(stream));
    // Nothing has been asked for that a stop would have to wait for.
    let Some(shaken) = server.stopping().run_until_cancelled(shaken).await else { return };
    match shaken {
        Ok(Ok(stream)) => Box::pin(speak(server, router, stream, arrival)).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// What bytes go both ways on.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Speaks HTTP until the peer leaves, upgrades, or the server stops.
async fn speak(server: Server, router: Router, stream: impl Stream, arrival: Arrival) {
    let router = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(server.limits().handshake).max_buf_size(HEADER_BYTES);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(arrival.clone());
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
