//! One connection of a session: its socket, the frames in and out of it, and whether the server is
//! still there. Knows neither calls nor subscriptions.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Sleep, sleep},
};

use super::outbound::Outbound;
use crate::transport::{Incoming, WebSocket};
use wslink_core::wire::{
    Violation,
    message::{Message, MessageDecoder},
};

/// Bytes handed to the socket at once; what is more can still be taken back.
const WRITE_AHEAD: usize = 256 * 1024;

/// Messages taken in before something is written.
const READ_BURST: u32 = 64;

/// Any byte stream.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(super) struct Link {
    socket: WebSocket<Box<dyn Stream>>,
    decoder: Box<dyn MessageDecoder>,
    pub(super) outbound: Outbound,
    watch: Watch,
    burst: u32,
}

/// The connection is over; the text is for the log.
#[derive(Debug)]
pub(super) struct Ended(pub(super) &'static str);

impl Link {
    pub(super) fn new(socket: WebSocket<Box<dyn Stream>>, decoder: Box<dyn MessageDecoder>, ping: Duration) -> Self {
        Self { socket, decoder, outbound: Outbound::default(), watch: Watch::new(ping), burst: 0 }
    }

    /// Goes on pinging a server that does not answer, and leaves it to TCP to give it up.
    pub(super) const fn be_patient(&mut self) {
        self.watch.patient = true;
    }

    /// Sends what waits and returns the next message.
    pub(super) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Ended>> {
        loop {
            if self.burst < READ_BURST
                && let Poll::Ready(incoming) = self.socket.poll_read(cx)
            {
                self.burst += 1;
                self.watch.heard = true;
                if let Some(message) = self.take(incoming)? {
                    return Poll::Ready(Ok(message));
                }
                continue;
            }
            let read_all = self.burst < READ_BURST;
            self.burst = 0;
            self.write(cx)?;
            if self.tick(cx)? {
                continue;
            }
            if read_all {
                return Poll::Pending;
            }
        }
    }

    fn take(&mut self, incoming: Incoming) -> Result<Option<Message>, Ended> {
        let broken = match incoming {
            Incoming::Alive | Incoming::Pong => return Ok(None),
            Incoming::Closed { code, reason } => {
                tracing::debug!(code, reason, "the server closes");
                return Err(Ended("the server closed it"));
            }
            Incoming::Lost => return Err(Ended("the network failed")),
            Incoming::Broken(violation) => violation,
            Incoming::Frame(kind, payload) => match self.decoder.decode(kind, payload) {
                Ok(message) => return Ok(message),
                Err(violation) => violation,
            },
        };
        let Violation { code, reason } = broken;
        self.socket.close(code, reason);
        Err(Ended(reason))
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), Ended> {
        loop {
            while self.socket.unwritten() < WRITE_AHEAD {
                let Some(frame) = self.outbound.next() else { break };
                self.socket.put(frame);
            }
            if self.socket.unwritten() == 0 {
                return Ok(());
            }
            match self.socket.poll_flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(Ended("the network failed")),
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// Returns whether a ping is to be sent.
    fn tick(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        match self.watch.poll(cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Due::Nothing) => Ok(true),
            Poll::Ready(Due::Ping) => {
                self.socket.ping();
                Ok(true)
            }
            Poll::Ready(Due::Silent) => Err(Ended("the server does not answer")),
        }
    }

    /// Closes, and lets the server read why.
    pub(super) async fn close(mut self, code: u16, reason: &'static str) {
        self.socket.close(code, reason);
        self.socket.part().await;
    }

    /// Lets go of a connection that is over; what was said last is written if it can be at once.
    pub(super) async fn abandon(mut self) {
        let _ = poll_fn(|cx| Poll::Ready(self.socket.poll_flush(cx))).await;
    }
}

/// Whether the server is still there: after a silence it is pinged, after another it is gone.
struct Watch {
    timer: Pin<Box<Sleep>>,
    silence: Duration,
    heard: bool,
    pinged: bool,
    patient: bool,
}

enum Due {
    Nothing,
    Ping,
    Silent,
}

impl Watch {
    fn new(silence: Duration) -> Self {
        Self { timer: Box::pin(sleep(silence)), silence, heard: false, pinged: false, patient: false }
    }

    /// Ready once per silence; must be polled again after it was.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Due> {
        if self.timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.timer.as_mut().reset(Instant::now() + self.silence);
        let heard = std::mem::take(&mut self.heard);
        Poll::Ready(match (heard, std::mem::replace(&mut self.pinged, !heard)) {
            (true, _) => Due::Nothing,
            (false, pinged) if self.patient || !pinged => Due::Ping,
            (false, _) => Due::Silent,
        })
    }
}
