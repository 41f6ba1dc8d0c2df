//! A WebSocket over any byte stream.
//!
//! Data frames are read and written here. tungstenite reads and answers all others; whatever it
//! writes goes into the same buffer as our frames, whole frame by whole frame, so the two never mix.

use std::{
    future::poll_fn,
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::{
    Error, Message,
    error::{CapacityError, ProtocolError},
    protocol::{CloseFrame, WebSocketConfig, WebSocketContext, frame::coding::CloseCode},
};

use super::{
    inflow::{Inflow, Next},
    outgoing::Outgoing,
};
use wslink_core::wire::{Frame, FrameKind, Violation};

/// For control frames, and kept by every connection.
const READ_BUFFER: usize = 160;

/// Which end of the socket this is; clients mask what they send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Accepted the connection.
    Server,
    /// Opened the connection.
    Client,
}

/// A WebSocket over `S`, after its handshake.
pub struct WebSocket<S> {
    stream: S,
    context: WebSocketContext,
    inflow: Inflow,
    outgoing: Outgoing,
    /// Something was written that the stream may still hold back.
    unflushed: bool,
    written: u64,
    frames: u64,
    sent: u64,
    role: Role,
}

/// What has passed through a socket.
#[derive(Clone, Copy)]
pub struct Totals {
    pub read: u64,
    pub written: u64,
    pub frames: u64,
    /// Frames that were to be written.
    pub sent: u64,
    /// Bytes of a message that is not complete.
    pub partial: usize,
}

/// What was read.
#[derive(Debug)]
pub enum Incoming {
    /// A data message.
    Frame(FrameKind, Bytes),
    /// A ping, already answered.
    Alive,
    /// The answer to a ping.
    Pong,
    /// The peer closes, and has been answered; nothing more comes. 1005 stands for no code.
    Closed {
        /// Its close code.
        code: u16,
        /// Its reason.
        reason: String,
    },
    /// The peer broke the rules; it is to be told.
    Broken(Violation),
    /// The stream ended or failed.
    Lost,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// A socket whose handshake is done, and of whose frames `read` came with it.
    pub fn new(stream: S, role: Role, read: &[u8], max_frame: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(max_frame))
            .max_frame_size(Some(max_frame));
        let side = match role {
            Role::Server => tungstenite::protocol::Role::Server,
            Role::Client => tungstenite::protocol::Role::Client,
        };
        let context = WebSocketContext::new(side, Some(config));
        Self {
            stream,
            context,
            inflow: Inflow::new(read, role, max_frame),
            outgoing: Outgoing::default(),
            unflushed: false,
            written: 0,
            frames: 0,
            sent: 0,
            role,
        }
    }

    /// The next data frame or event of the socket.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        loop {
            match ready!(self.inflow.poll_next(cx, Pin::new(&mut self.stream))) {
                Next::Message(kind, payload) => {
                    self.frames += 1;
                    return Poll::Ready(Incoming::Frame(kind, payload));
                }
                Next::Broken(violation) => return Poll::Ready(Incoming::Broken(violation)),
                Next::Lost => return Poll::Ready(Incoming::Lost),
                Next::Foreign => {}
            }
            let Self { stream, context, inflow, outgoing, .. } = self;
            let read = context.read(&mut Io { stream, inflow, outgoing, cx });
            // The answer is made, but not written before something else happens.
            let _ = self.context.flush(&mut Gather(&mut self.outgoing));
            return Poll::Ready(match read {
                Ok(Message::Close(Some(CloseFrame { code, reason }))) => {
                    Incoming::Closed { code: code.into(), reason: reason.to_string() }
                }
                Ok(Message::Close(None)) | Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                    Incoming::Closed { code: 1005, reason: String::new() }
                }
                Ok(Message::Pong(_)) => Incoming::Pong,
                Ok(_) => Incoming::Alive,
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => match self.inflow.is_at_boundary() {
                    true => continue,
                    false => return Poll::Pending,
                },
                Err(error) => violation(&error).map_or(Incoming::Lost, Incoming::Broken),
            });
        }
    }

    /// Adds a data frame to what is to be written.
    pub fn put(&mut self, frame: Frame) {
        self.sent += 1;
        match self.role {
            Role::Server => self.outgoing.put_frame(frame),
            Role::Client => self.outgoing.put_masked_frame(&frame),
        }
    }

    /// Adds a ping.
    pub fn ping(&mut self) {
        let _ = self.context.write(&mut Gather(&mut self.outgoing), Message::Ping(Bytes::new()));
    }

    /// Adds a close frame; nothing can be added after it.
    pub fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        let _ = self.context.close(&mut Gather(&mut self.outgoing), Some(frame));
    }

    /// Bytes that are not written yet; what the stream itself keeps counts as one.
    pub const fn unwritten(&self) -> usize {
        self.outgoing.len() + if self.unflushed { 1 } else { 0 }
    }

    /// Whether [`poll_flush`](Self::poll_flush) has anything to do.
    pub const fn has_output(&self) -> bool {
        self.unwritten() > 0
    }

    /// Bytes that were read and written, and whole messages that were read, since the beginning.
    pub fn totals(&self) -> Totals {
        Totals {
            read: self.inflow.total(),
            written: self.written,
            frames: self.frames,
            sent: self.sent,
            partial: self.inflow.partial(),
        }
    }

    /// From now on takes messages of up to `max_frame` bytes.
    pub fn set_max_frame(&mut self, max_frame: usize) {
        self.inflow.set_max_frame(max_frame);
    }

    /// Writes until nothing is left or the stream takes no more.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let before = self.outgoing.len();
        let written = self.outgoing.poll_write(cx, Pin::new(&mut self.stream));
        if self.outgoing.len() < before {
            self.unflushed = true;
            self.written += (before - self.outgoing.len()) as u64;
        }
        ready!(written)?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }

    /// Writes what is left and gives the peer a moment to read it: closing a stream with unread data
    /// resets it, and the reset would overtake the close frame.
    pub async fn part(mut self) {
        const LINGER: Duration = Duration::from_secs(2);
        let farewell = async {
            poll_fn(|cx| self.poll_flush(cx)).await?;
            poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await?;
            poll_fn(|cx| self.poll_discard(cx)).await;
            io::Result::Ok(())
        };
        // Nobody is left to be told that it failed.
        let _ = tokio::time::timeout(LINGER, farewell).await;
    }

    /// Reads and drops what still comes; ready when the stream has ended.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
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
    inflow: &'a mut Inflow,
    outgoing: &'a mut Outgoing,
    cx: &'a mut Context<'c>,
}

impl<S: AsyncRead + Unpin> Read for Io<'_, '_, S> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self.inflow.poll_foreign(self.cx, Pin::new(&mut *self.stream), space) {
            Poll::Ready(read) => read,
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

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Takes everything and passes it on only when it is asked again.
    #[derive(Default)]
    struct Hesitant {
        passed_on: bool,
    }

    impl AsyncRead for Hesitant {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Hesitant {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if std::mem::replace(&mut self.passed_on, true) { Poll::Ready(Ok(())) } else { Poll::Pending }
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn what_the_stream_keeps_is_not_written() {
        let mut socket = WebSocket::new(Hesitant::default(), Role::Client, &[], 100);
        assert_eq!(socket.unwritten(), 0);
        socket.put(Frame::new(FrameKind::Text, "text"));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(socket.poll_flush(cx).is_pending());
        assert_eq!(socket.unwritten(), 1);
        assert!(socket.poll_flush(cx).is_ready());
        assert_eq!(socket.unwritten(), 0);
    }

    #[test]
    fn what_a_client_writes_a_server_reads() {
        let mut client = WebSocket::new(tokio::io::empty(), Role::Client, &[], usize::MAX);
        for size in [0, 1, 125, 126, 127, 65_535, 65_536, 100_003] {
            let body: Vec<u8> = (0..=255).cycle().take(size).collect();
            client.put(Frame { kind: FrameKind::Binary, head: Bytes::from_static(b"head"), body: body.clone().into() });
            let mut written = Vec::new();
            let cx = &mut Context::from_waker(Waker::noop());
            assert!(client.outgoing.poll_write(cx, Pin::new(&mut written)).is_ready());
            let mut server = WebSocket::new(tokio::io::empty(), Role::Server, &written, usize::MAX);
            let Poll::Ready(Incoming::Frame(FrameKind::Binary, read)) = server.poll_read(cx) else { panic!("no frame") };
            assert!(read.starts_with(b"head") && read[4..] == body, "{size} bytes");
        }
    }
}
