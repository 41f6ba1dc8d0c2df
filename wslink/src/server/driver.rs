//! The task of one connection: it alone reads and writes the socket, runs the calls, keeps time.
//!
//! Handlers are polled where their request is read; only those that wait are set aside. Writes are
//! gathered until nothing more can be read, then written at once.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{StreamExt, future::poll_fn, stream::FuturesUnordered};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::watch::{Due, Watch};
use crate::{
    connection::{Connection, Egress, Shared, Step},
    rpc::PendingCall,
    transport::{Incoming, WebSocket},
    wire::{Encoded, Violation},
};

/// Frames read before what they led to is written.
const READ_BURST: usize = 128;

/// Bytes handed to the socket at once. More stays in the queues, where newer events can replace it
/// and replies can go first.
const WRITE_AHEAD: usize = 256 * 1024;

/// A call that is being worked on.
enum InFlight {
    Inline(PendingCall),
    Pool(JoinHandle<Encoded>),
}

impl Future for InFlight {
    /// `None`: the runtime is gone, and nobody is left to answer.
    type Output = Option<Encoded>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Encoded>> {
        match self.get_mut() {
            Self::Inline(call) => Pin::new(call).poll(cx).map(Some),
            Self::Pool(call) => Pin::new(call).poll(cx).map(Result::ok),
        }
    }
}

struct Driver<S> {
    socket: WebSocket<S>,
    connection: Connection,
    egress: Egress,
    calls: FuturesUnordered<InFlight>,
    watch: Watch,
    /// The server stops: answer what is in flight, begin nothing new.
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    stopping: bool,
    max_calls: usize,
    max_reply_bytes: usize,
}

/// Why the connection ends.
enum End {
    /// The peer closed, and was answered.
    Closed,
    /// Nothing can be sent any more.
    Lost,
    /// We close, and say why.
    Say(u16, &'static str),
}

/// Serves one connection to its end.
pub(super) async fn drive<S>(socket: WebSocket<S>, shared: Arc<Shared>, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let limits = shared.limits.clone();
    let connection = match Connection::new(shared) {
        Ok(connection) => connection,
        Err(error) => return tracing::error!(%error, "no entropy for a client id"),
    };
    let egress = Egress::new(Arc::clone(connection.outbox()));
    let mut driver = Driver {
        socket,
        connection,
        egress,
        calls: FuturesUnordered::new(),
        watch: Watch::new(&limits, Instant::now()),
        stop: Box::pin(stop.cancelled_owned()),
        stopping: false,
        max_calls: limits.calls_in_flight,
        max_reply_bytes: limits.reply_bytes,
    };
    let end = poll_fn(|cx| driver.poll(cx)).await;
    // What is not sent to its end by now has nobody left to read it.
    let Driver { socket, .. } = driver;
    finish(socket, end).await;
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if !self.stopping && self.stop.as_mut().poll(cx).is_ready() {
            self.stopping = true;
            self.watch.stopping(Instant::now());
        }
        loop {
            if let Poll::Ready(due) = self.watch.poll(cx, self.socket.unwritten() > 0) {
                if let Some(end) = self.on_time(due) {
                    return Poll::Ready(end);
                }
                continue;
            }
            let mut progress = match self.read(cx) {
                Ok(progress) => progress,
                Err(end) => return Poll::Ready(end),
            };
            while let Poll::Ready(Some(reply)) = self.calls.poll_next_unpin(cx) {
                if let Some(reply) = reply {
                    self.egress.reply(reply);
                }
                progress = true;
            }
            match self.write(cx) {
                Ok(wrote) => progress |= wrote,
                Err(end) => return Poll::Ready(end),
            }
            if self.stopping && self.calls.is_empty() && self.egress.is_between_messages() && self.socket.unwritten() == 0 {
                return Poll::Ready(End::Say(1001, "Server shutdown"));
            }
            if !progress {
                return Poll::Pending;
            }
        }
    }

    /// Reads a burst of frames. Returns whether there may be more.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        for _ in 0..READ_BURST {
            // A peer that does not take its replies is not asked for more work.
            if self.egress.reply_bytes() + self.socket.unwritten() > self.max_reply_bytes {
                return Ok(false);
            }
            let Poll::Ready(incoming) = self.socket.poll_read(cx) else { return Ok(false) };
            self.watch.heard();
            match incoming {
                Incoming::Alive => {}
                Incoming::Closed => return Err(End::Closed),
                Incoming::Lost => return Err(End::Lost),
                Incoming::Broken(Violation { code, reason }) => return Err(End::Say(code, reason)),
                // A request that arrives now would be begun and not finished.
                Incoming::Frame(..) if self.stopping => {}
                Incoming::Frame(kind, payload) => {
                    let room = self.calls.len() < self.max_calls;
                    match self.connection.receive(kind, payload, room) {
                        Ok(step) => self.take(step, cx),
                        Err(Violation { code, reason }) => return Err(End::Say(code, reason)),
                    }
                    self.watch.received(self.connection.is_authenticated(), self.connection.incomplete());
                }
            }
        }
        Ok(true)
    }

    fn take(&mut self, step: Step, cx: &mut Context<'_>) {
        match step {
            Step::None => {}
            Step::Reply(reply) => self.egress.reply(reply),
            Step::Pending(mut call) => match Pin::new(&mut call).poll(cx) {
                Poll::Ready(reply) => self.egress.reply(reply),
                Poll::Pending => self.calls.push(InFlight::Inline(call)),
            },
            Step::Blocking(call) => self.calls.push(InFlight::Pool(tokio::task::spawn_blocking(|| call.run()))),
        }
    }

    /// Fills and empties the write buffer. Returns whether there is more to do at once.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        self.connection.outbox().register(cx.waker());
        loop {
            let mut filled = false;
            while self.socket.unwritten() < WRITE_AHEAD {
                match self.egress.next() {
                    Ok(Some(frame)) => self.socket.put(frame),
                    Ok(None) => {
                        filled = true;
                        break;
                    }
                    Err(_) => return Err(End::Say(1013, "too slow for what is published")),
                }
            }
            if self.socket.unwritten() == 0 {
                return Ok(false);
            }
            let before = self.socket.unwritten();
            let flushed = self.socket.poll_flush(cx);
            if self.socket.unwritten() < before {
                self.watch.wrote();
            }
            match flushed {
                Poll::Ready(Ok(())) if filled => return Ok(true),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(End::Lost),
                Poll::Pending => return Ok(false),
            }
        }
    }

    fn on_time(&mut self, due: Due) -> Option<End> {
        match due {
            Due::Nothing => None,
            Due::Ping => {
                self.socket.ping();
                None
            }
            Due::HelloMissing => Some(End::Say(1008, "no hello in time")),
            Due::Incomplete => Some(End::Say(1008, "incomplete message without progress")),
            Due::Silent => Some(End::Say(1001, "no answer to a ping")),
            Due::WriteStalled => Some(End::Say(1013, "nothing read for too long")),
            Due::GraceOver => Some(End::Say(1001, "Server shutdown")),
        }
    }
}

/// Sends the close frame, if any, and gives the peer a moment to read it: closing a socket with
/// unread data resets the connection, and the reset would overtake the close frame.
async fn finish<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>, end: End) {
    const LINGER: std::time::Duration = std::time::Duration::from_secs(2);
    match end {
        End::Lost => return,
        End::Closed => {}
        End::Say(code, reason) => {
            tracing::debug!(code, reason, "closing a connection");
            socket.close(code, reason);
        }
    }
    let farewell = async {
        poll_fn(|cx| socket.poll_flush(cx)).await?;
        poll_fn(|cx| socket.poll_shutdown(cx)).await?;
        poll_fn(|cx| socket.poll_discard(cx)).await;
        std::io::Result::Ok(())
    };
    let _ = tokio::time::timeout(LINGER, farewell).await;
}
