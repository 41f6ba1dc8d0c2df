//! A WebSocket over any byte stream.
//!
//! tungstenite reads, checks and answers control frames; whatever it writes goes into the same
//! buffer as our data frames, whole frame by whole frame, so the two never mix.

use std::{
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::{
    Error, Message,
    error::{CapacityError, ProtocolError},
    protocol::{CloseFrame, WebSocketConfig, WebSocketContext, frame::coding::CloseCode},
};

use super::outgoing::Outgoing;
use crate::wire::{Frame, FrameKind, Violation};

/// Read at once, and kept by every connection. Small: it is zeroed before each read.
const READ_BUFFER: usize = 8 * 1024;

/// Which end of the socket this is; clients mask what they send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Server,
    Client,
}

pub(crate) struct WebSocket<S> {
    stream: S,
    context: WebSocketContext,
    outgoing: Outgoing,
    role: Role,
}

/// What was read.
#[derive(Debug)]
pub(crate) enum Incoming {
    Frame(FrameKind, Bytes),
    /// A ping, already answered, or a pong.
    Alive,
    /// The peer closes, and has been answered; nothing more comes.
    Closed,
    /// The peer broke the rules; it is to be told.
    Broken(Violation),
    /// The stream ended or failed.
    Lost,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// A socket whose handshake is done, and of whose frames `read` came with it.
    pub(crate) fn new(stream: S, role: Role, read: Vec<u8>, max_frame: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(max_frame))
            .max_frame_size(Some(max_frame));
        let side = match role {
            Role::Server => tungstenite::protocol::Role::Server,
            Role::Client => tungstenite::protocol::Role::Client,
        };
        let context = WebSocketContext::from_partially_read(read, side, Some(config));
        Self { stream, context, outgoing: Outgoing::default(), role }
    }

    /// The next data frame or event of the socket.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        let mut io = Io { stream: &mut self.stream, outgoing: &mut self.outgoing, cx };
        Poll::Ready(match self.context.read(&mut io) {
            Ok(Message::Text(text)) => Incoming::Frame(FrameKind::Text, text.into()),
            Ok(Message::Binary(bytes)) => Incoming::Frame(FrameKind::Binary, bytes),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Incoming::Alive,
            Ok(Message::Close(_)) => {
                // The answer is made, but not written before something else happens.
                let _ = self.context.flush(&mut Gather(&mut self.outgoing));
                Incoming::Closed
            }
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => Incoming::Closed,
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) => violation(&error).map_or(Incoming::Lost, Incoming::Broken),
        })
    }

    /// Adds a data frame to what is to be written.
    pub(crate) fn put(&mut self, frame: Frame) {
        match self.role {
            Role::Server => self.outgoing.put_frame(frame),
            Role::Client => self.outgoing.put_masked_frame(&frame),
        }
    }

    pub(crate) fn ping(&mut self) {
        let _ = self.context.write(&mut Gather(&mut self.outgoing), Message::Ping(Bytes::new()));
    }

    /// Adds a close frame; nothing can be added after it.
    pub(crate) fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        let _ = self.context.close(&mut Gather(&mut self.outgoing), Some(frame));
    }

    /// Bytes that are not written yet.
    pub(crate) const fn unwritten(&self) -> usize {
        self.outgoing.len()
    }

    /// Writes until nothing is left or the stream takes no more.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.outgoing.poll_write(cx, Pin::new(&mut self.stream)))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Ends the sending direction of the stream.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// Reads and drops what still comes; ready when the stream has ended.
    pub(crate) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

/// What a peer did to make tungstenite fail; `None` when the stream failed.
fn violation(error: &Error) -> Option<Violation> {
    Some(match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Violation::too_large("frame too large"),
        Error::Capacity(_) => Violation::policy("too much"),
        Error::Utf8(_) => Violation::malformed("text is not UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing) => return None,
        Error::Protocol(_) => Violation::protocol("broken WebSocket framing"),
        _ => return None,
    })
}

/// The stream as tungstenite wants it: it never waits, and what is written is gathered.
struct Io<'a, 'c, S> {
    stream: &'a mut S,
    outgoing: &'a mut Outgoing,
    cx: &'a mut Context<'c>,
}

impl<S: AsyncRead + Unpin> Read for Io<'_, '_, S> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(space);
        match Pin::new(&mut *self.stream).poll_read(self.cx, &mut buffer) {
            Poll::Ready(result) => result.map(|()| buffer.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S> Write for Io<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Gather(self.outgoing).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Only gathers.
struct Gather<'a>(&'a mut Outgoing);

impl Read for Gather<'_> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Gather<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
