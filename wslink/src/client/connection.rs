//! One connection of a session: moves bytes between its socket and the session, which decides everything else.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Sleep, sleep_until},
};
use wslink_core::{
    session::{ClientEvent, Event, Session, Traffic},
    wire::Violation,
};

use super::Disconnect;
use crate::transport::{Incoming, Totals, WebSocket};

/// Bytes buffered in the socket; further ones can still be taken back.
const WRITE_BUDGET: usize = 256 * 1024;

/// Messages read before anything is written.
const READ_BURST: u32 = 64;

/// Any byte stream.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(super) struct Connection {
    socket: WebSocket<Box<dyn Stream>>,
    pub(super) session: Session,
    timer: Pin<Box<Sleep>>,
    burst: u32,
}

impl Connection {
    pub(super) fn new(socket: WebSocket<Box<dyn Stream>>, session: Session) -> Self {
        let first = session.next_timeout().map_or_else(Instant::now, Instant::from_std);
        Self { socket, session, timer: Box::pin(sleep_until(first)), burst: 0 }
    }

    /// Sends what waits, and returns the next event.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<ClientEvent, Disconnect>> {
        loop {
            while let Some(event) = self.session.poll_event() {
                match event {
                    Event::Client(event) => return Poll::Ready(Ok(event)),
                    Event::Ping => self.socket.ping(),
                    // Of sessions that accept.
                    _ => {}
                }
            }
            if let Some(close) = self.session.closing() {
                let (code, reason) = (close.code, close.reason.clone());
                self.socket.close(code, &reason);
                return Poll::Ready(Err(Disconnect::GaveUp { code, reason }));
            }
            let now = Instant::now().into_std();
            if self.burst < READ_BURST
                && let Poll::Ready(incoming) = self.socket.poll_read(cx)
            {
                self.burst += 1;
                self.take(incoming, now)?;
                continue;
            }
            let read_all = self.burst < READ_BURST;
            self.burst = 0;
            self.write(cx, now)?;
            if self.poll_timer(cx, now) {
                continue;
            }
            if read_all {
                return Poll::Pending;
            }
        }
    }

    fn take(&mut self, incoming: Incoming, now: std::time::Instant) -> Result<(), Disconnect> {
        match incoming {
            Incoming::Alive | Incoming::Pong => Ok(()),
            Incoming::Frame(kind, payload) => {
                self.session.handle_frame(now, kind, payload);
                Ok(())
            }
            Incoming::Closed { code, reason } => Err(Disconnect::Closed { code, reason }),
            Incoming::Lost => Err(Disconnect::Lost),
            Incoming::Broken(Violation { code, reason }) => {
                self.socket.close(code, reason);
                Err(Disconnect::GaveUp { code, reason: reason.into() })
            }
        }
    }

    fn write(&mut self, cx: &mut Context<'_>, now: std::time::Instant) -> Result<(), Disconnect> {
        loop {
            while self.socket.unwritten() < WRITE_BUDGET {
                let Some(frame) = self.session.poll_transmit() else { break };
                self.socket.put(frame);
            }
            let flushed = if self.socket.unwritten() > 0 { Some(self.socket.poll_flush(cx)) } else { None };
            let Totals { read, written, frames, sent, partial } = self.socket.totals();
            let unwritten = self.socket.unwritten();
            let traffic = Traffic { read, written, unwritten, partial, messages_read: frames, frames_sent: sent };
            self.session.handle_traffic(now, traffic);
            match flushed {
                Some(Poll::Ready(Ok(()))) => {}
                Some(Poll::Ready(Err(_))) => return Err(Disconnect::Lost),
                Some(Poll::Pending) | None => return Ok(()),
            }
        }
    }

    /// Returns whether a deadline has passed.
    fn poll_timer(&mut self, cx: &mut Context<'_>, now: std::time::Instant) -> bool {
        let fired = self.timer.is_elapsed() || self.timer.as_mut().poll(cx).is_ready();
        if fired {
            self.session.handle_timeout(now);
            self.socket.release_spare();
        }
        let Some(next) = self.session.next_timeout().map(Instant::from_std) else { return fired };
        // One that is early is moved when it fires: most deadlines move with every message.
        if self.timer.is_elapsed() || next < self.timer.deadline() {
            self.timer.as_mut().reset(next);
            return self.timer.as_mut().poll(cx).is_ready() || fired;
        }
        fired
    }

    /// Closes, and lets the server read why.
    pub(super) async fn close(mut self, code: u16, reason: &'static str) -> Session {
        self.socket.close(code, reason);
        self.socket.part().await;
        self.session
    }

    /// Lets go of a connection that is over; the last frames are written if they can be at once.
    pub(super) async fn abandon(mut self) -> Session {
        let _ = poll_fn(|cx| Poll::Ready(self.socket.poll_flush(cx))).await;
        self.session
    }
}
