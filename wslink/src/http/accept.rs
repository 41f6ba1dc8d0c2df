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
    Site,
    client_address::Arrival,
    whole,
    write_timeout::{TimedStream, WriteTimeout},
};
use crate::{
    Error,
    connections::LimitReached,
    transport::{Listener, Source},
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
pub(crate) async fn accept(site: &Site, listener: impl Listener) -> Result<(), Error> {
    serve(site, whole(site), listener).await
}

/// The same with another router than the server's.
pub(super) async fn serve(site: &Site, router: Router, mut listener: impl Listener) -> Result<(), Error> {
    let refusing = Arc::new(Semaphore::new(REFUSING));
    let mut exhausted = false;
    loop {
        let accepted = tokio::select! {
            () = site.connections.stop.cancelled() => return Ok(()),
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
        let secure = site.settings.is_secure();
        let address = match source {
            Source::Address(address) if !site.settings.trusted.contains(address.ip()) => Some(address.ip()),
            Source::Address(_) | Source::Local => None,
        };
        match site.connections.limiter.acquire(address.map(Into::into)) {
            Ok(permit) => {
                let write_timeout = WriteTimeout::new(site.connections.limits().write_stall);
                let stream = TimedStream::new(stream, write_timeout.clone());
                let arrival = Arrival { source, secure, certificate: None, permit: Arc::new(permit), write_timeout };
                site.connections.tracker.spawn(greet(site.clone(), router.clone(), stream, arrival));
            }
            Err(full) => {
                tracing::debug!(?source, ?full, "refused a connection");
                site.connections.refused(full.reason());
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
async fn greet(site: Site, router: Router, stream: impl Stream, arrival: Arrival) {
    speak(site, router, stream, arrival).await;
}

/// Shakes hands over TLS first where the server is set up for it.
#[cfg(feature = "tls")]
async fn greet(site: Site, router: Router, stream: impl Stream, mut arrival: Arrival) {
    let Some(tls) = &site.settings.tls else { return speak(site, router, stream, arrival).await };
    let shaken = tokio::time::timeout(site.connections.limits().handshake, tls.acceptor().accept(stream));
    // Nothing has been asked for that a stop would have to wait for.
    let Some(shaken) = site.connections.stop.run_until_cancelled(shaken).await else { return };
    match shaken {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            arrival.certificate = shown.map(|certificate| bytes::Bytes::copy_from_slice(certificate));
            Box::pin(speak(site, router, stream, arrival)).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// What bytes go both ways on.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Speaks HTTP until the peer leaves, upgrades, or the server stops.
async fn speak(site: Site, router: Router, stream: impl Stream, arrival: Arrival) {
    let router = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(site.connections.limits().handshake).max_buf_size(HEADER_BYTES);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(arrival.clone());
        hyper::service::Service::call(&router, request)
    });
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = site.connections.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(site.connections.limits().grace, connection).await {
                Ok(served) => served,
                Err(_) => return tracing::debug!("an HTTP connection was not finished in time"),
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "an HTTP connection failed");
    }
}
