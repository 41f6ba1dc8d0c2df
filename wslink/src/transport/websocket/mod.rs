//! A WebSocket over any byte stream, after its handshake: RFC 6455, sections 5 to 8.
//!
//! Frames are read and written here, control frames included: a second parser on the same stream would have to agree
//! with this one about every limit, and costs each connection a buffer.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wslink_core::wire::{Frame, FrameKind, Violation};

use self::{
    control::Control,
    masks::Masks,
    reader::{Next, Reader},
    writer::Writer,
};

mod control;
mod header;
mod masks;
mod reader;
mod writer;

/// While so many bytes wait to be written, only the newest ping waits for its answer.
const PONG_BUDGET: usize = 64 * 1024;

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
    reader: Reader,
    writer: Writer,
    /// The payload of the newest ping that is not answered.
    pong: Option<Bytes>,
    /// A close frame was added: nothing may follow it.
    closed: bool,
    masks: Option<Masks>,
    /// Something was written that the stream may still hold back.
    unflushed: bool,
    written: u64,
    frames: u64,
    sent: u64,
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
        Self {
            stream,
            reader: Reader::new(read, role, max_frame),
            writer: Writer::default(),
            pong: None,
            closed: false,
            masks: (role == Role::Client).then(Masks::default),
            unflushed: false,
            written: 0,
            frames: 0,
            sent: 0,
        }
    }

    /// The next data frame or event of the socket.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        Poll::Ready(match ready!(self.reader.poll_next(cx, Pin::new(&mut self.stream))) {
            Next::Message(kind, payload) => {
                self.frames += 1;
                Incoming::Frame(kind, payload)
            }
            Next::Control(Control::Ping(payload)) => {
                self.pong = Some(payload);
                self.put_pong();
                Incoming::Alive
            }
            Next::Control(Control::Pong) => Incoming::Pong,
            Next::Control(Control::Close { code, reason }) => {
                let payload = if code == control::NO_CODE { Vec::new() } else { code.to_be_bytes().to_vec() };
                self.put_close(&payload);
                Incoming::Closed { code, reason }
            }
            Next::Broken(violation) => Incoming::Broken(violation),
            Next::Lost => Incoming::Lost,
        })
    }

    /// Adds a data frame to what is to be written.
    pub fn put(&mut self, frame: Frame) {
        if self.closed {
            return;
        }
        self.sent += 1;
        match &mut self.masks {
            None => self.writer.put_frame(frame),
            Some(masks) => self.writer.put_masked_frame(&frame, masks.next()),
        }
    }

    /// Adds a ping.
    pub fn ping(&mut self) {
        self.put_control(9, &[]);
    }

    /// Adds a close frame; nothing can be added after it.
    pub fn close(&mut self, code: u16, reason: &str) {
        let end = reason.floor_char_boundary(control::MAX_PAYLOAD - 2);
        self.put_close(&[&code.to_be_bytes()[..], &reason.as_bytes()[..end]].concat());
    }

    fn put_close(&mut self, payload: &[u8]) {
        self.put_control(8, payload);
        self.closed = true;
    }

    /// Answers the newest ping, unless too much waits before it.
    fn put_pong(&mut self) {
        if self.writer.len() < PONG_BUDGET
            && let Some(payload) = self.pong.take()
        {
            self.put_control(10, &payload);
        }
    }

    fn put_control(&mut self, opcode: u8, payload: &[u8]) {
        if !self.closed {
            let mask = self.masks.as_mut().map(Masks::next);
            self.writer.put_control(opcode, payload, mask);
        }
    }

    /// Bytes that are not written yet; what the stream itself keeps counts as one.
    pub const fn unwritten(&self) -> usize {
        self.writer.len() + if self.unflushed { 1 } else { 0 }
    }

    /// Bytes that were read and written, and whole messages that were read, since the beginning.
    pub fn totals(&self) -> Totals {
        Totals {
            read: self.reader.total(),
            written: self.written,
            frames: self.frames,
            sent: self.sent,
            partial: self.reader.partial(),
        }
    }

    /// Frees the memory that is kept for the next large message: to be called now and then.
    pub fn release_spare(&mut self) {
        self.reader.release_spare();
    }

    /// From now on takes messages of up to `max_frame` bytes.
    #[cfg(feature = "server")]
    pub fn set_max_frame(&mut self, max_frame: usize) {
        self.reader.set_max_frame(max_frame);
    }

    /// Writes until nothing is left or the stream takes no more.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let before = self.writer.len();
        let written = self.writer.poll_write(cx, Pin::new(&mut self.stream));
        if self.writer.len() < before {
            self.unflushed = true;
            self.written += (before - self.writer.len()) as u64;
        }
        self.put_pong();
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
            assert!(client.writer.poll_write(cx, Pin::new(&mut written)).is_ready());
            let mut server = WebSocket::new(tokio::io::empty(), Role::Server, &written, usize::MAX);
            let Poll::Ready(Incoming::Frame(FrameKind::Binary, read)) = server.poll_read(cx) else { panic!("no frame") };
            assert!(read.starts_with(b"head") && read[4..] == body, "{size} bytes");
        }
    }

    #[test]
    fn pings_of_a_peer_that_does_not_read_take_bounded_memory() {
        let ping = [&[0x89, 0x80 | 4][..], &[0; 4], b"ping"].concat();
        let pings = ping.repeat(100_000);
        let mut server = WebSocket::new(tokio::io::empty(), Role::Server, &pings, 100);
        let cx = &mut Context::from_waker(Waker::noop());
        while let Poll::Ready(Incoming::Alive) = server.poll_read(cx) {}
        assert!(server.unwritten() <= PONG_BUDGET + 200 && server.pong.is_some(), "{}", server.unwritten());
    }
}
