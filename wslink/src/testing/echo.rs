//! An endpoint that sends every message back as it came, for suites that test WebSockets. Its transport is
//! the server's, its services are none.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    task::{Context, Poll},
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::Request;
use hyper::{body::Incoming as Payload, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::http::upgrade;
use crate::transport::{Incoming, Role, WebSocket};
use wslink_core::wire::{Frame, Violation};

/// What is not written is not added to.
const AHEAD: usize = 256 * 1024;

/// Sends back what comes in messages of up to `max_message` bytes, at every path, for as long as its task
/// is not ended.
///
/// # Errors
/// The listener cannot be used.
pub async fn echo(listener: TcpListener, max_message: usize) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let service = service_fn(|request| async move { Ok::<_, Infallible>(welcome(request, max_message)) });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
        });
    }
}

fn welcome(mut request: Request<Payload>, max_message: usize) -> Response {
    let pending = hyper::upgrade::on(&mut request);
    let response = match upgrade::accepted(&request.map(Body::new)) {
        Ok(response) => response,
        Err(error) => return upgrade::no_handshake(&error),
    };
    tokio::spawn(async move {
        let Ok(Ok(parts)) = pending.await.map(|upgraded| upgraded.downcast::<TokioIo<TcpStream>>()) else { return };
        serve(WebSocket::new(parts.io.into_inner(), Role::Server, &parts.read_buf, max_message)).await;
    });
    response
}

async fn serve(mut socket: WebSocket<TcpStream>) {
    match poll_fn(|cx| poll(&mut socket, cx)).await {
        Incoming::Lost => return,
        Incoming::Broken(Violation { code, reason }) => socket.close(code, reason),
        _ => {}
    }
    socket.part().await;
}

/// Ready when nothing more comes.
fn poll(socket: &mut WebSocket<TcpStream>, cx: &mut Context<'_>) -> Poll<Incoming> {
    loop {
        let mut progress = false;
        while socket.unwritten() < AHEAD
            && let Poll::Ready(incoming) = socket.poll_read(cx)
        {
            progress = true;
            match incoming {
                Incoming::Frame(kind, payload) => socket.put(Frame { kind, head: Bytes::new(), body: payload }),
                Incoming::Alive | Incoming::Pong => {}
                end @ (Incoming::Closed { .. } | Incoming::Broken(_) | Incoming::Lost) => return Poll::Ready(end),
            }
        }
        // Nobody has asked for more while that was too much.
        progress |= socket.unwritten() >= AHEAD;
        match socket.poll_flush(cx) {
            Poll::Ready(Ok(())) if progress => {}
            Poll::Ready(Err(_)) => return Poll::Ready(Incoming::Lost),
            _ => return Poll::Pending,
        }
    }
}
