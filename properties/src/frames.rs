//! WebSocket frames: read the same in whatever pieces they come, and as tungstenite reads them.

use std::{
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use arbitrary::{Result, Unstructured};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::{
    Error, Message,
    error::ProtocolError,
    protocol::{WebSocketConfig, frame::coding::CloseCode},
};

use super::within;
use wslink::testing::internals::{Incoming, Role, WebSocket};
use wslink_core::wire::FrameKind;

/// Large enough for frames that are read where they stay.
const MAX_FRAME: usize = 40_000;

/// Bytes from a peer lead to the same messages in one piece, in many, and in tungstenite. The first byte
/// says which end reads them and in what pieces.
pub fn frames(data: &[u8]) {
    let Some((&how, bytes)) = data.split_first() else { return };
    let role = if how & 1 == 0 { Role::Server } else { Role::Client };
    let events = within(4, bytes.len() + MAX_FRAME, || read(bytes, role, usize::MAX));
    for step in [1, 2 + usize::from(how >> 1) * 101] {
        assert_eq!(read(bytes, role, step), events, "in pieces of {step}");
    }
    let mut theirs = as_tungstenite(bytes, role);
    if theirs == events {
        return;
    }
    // It looks into text before it is complete, when only control frames can come until it is; we look at a
    // header before its payload is there.
    let end = theirs.pop();
    let rest = events.strip_prefix(&*theirs).unwrap();
    match end {
        Some(Event::Broken) => assert!(rest.iter().all(|event| !matches!(event, Event::Data(..))), "{rest:?} after {theirs:?}"),
        end => assert_eq!((end, rest), (Some(Event::Lost), &[Event::Broken][..])),
    }
}

/// Messages in any number of frames, with control frames between them, come whole and in order.
pub fn fragments(data: &[u8]) {
    let _ = fragmented(&mut Unstructured::new(data));
}

fn fragmented(input: &mut Unstructured<'_>) -> Result<()> {
    let mut bytes = Vec::new();
    let mut expected = Vec::new();
    for _ in 0..input.int_in_range(1..=4)? {
        let size = *input.choose(&[0, 1, 3, 125, 126, 300, 17_000, 20_000])?;
        let (opcode, kind, payload) = match input.arbitrary()? {
            true => (1, FrameKind::Text, "é".repeat(size).into_bytes()),
            false => (2, FrameKind::Binary, b"binary ".repeat(size / 7)),
        };
        let mut cuts = vec![0, payload.len()];
        for _ in 0..input.int_in_range(0..=4)? {
            cuts.push(input.int_in_range(0..=payload.len())?);
        }
        cuts.sort_unstable();
        let last = cuts.len() - 2;
        for (number, cut) in cuts.windows(2).enumerate() {
            let first = if number == 0 { opcode } else { 0 } | if number == last { 0x80 } else { 0 };
            put(&mut bytes, first, &payload[cut[0]..cut[1]], input.arbitrary()?);
            if number < last && input.ratio(1, 4)? {
                put(&mut bytes, *input.choose(&[0x89, 0x8a])?, b"alive", input.arbitrary()?);
                expected.push(Event::Alive);
            }
        }
        expected.push(Event::Data(kind, payload));
    }
    put(&mut bytes, 0x88, &1000_u16.to_be_bytes(), input.arbitrary()?);
    expected.push(Event::Closed);
    let many = bytes.len() / input.int_in_range(1..=200)?;
    for step in [usize::MAX, many.max(1)] {
        assert_eq!(read(&bytes, Role::Server, step), expected);
    }
    Ok(())
}

/// A masked frame.
fn put(to: &mut Vec<u8>, first: u8, payload: &[u8], mask: [u8; 4]) {
    to.push(first);
    match u16::try_from(payload.len()) {
        Ok(len @ 0..126) => to.push(0x80 | len.to_be_bytes()[1]),
        Ok(len) => {
            to.push(0x80 | 126);
            to.extend(len.to_be_bytes());
        }
        Err(_) => {
            to.push(0x80 | 127);
            to.extend((payload.len() as u64).to_be_bytes());
        }
    }
    to.extend(mask);
    to.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

#[derive(Debug, PartialEq)]
enum Event {
    Data(FrameKind, Vec<u8>),
    Alive,
    Closed,
    Broken,
    Lost,
}

fn read(bytes: &[u8], role: Role, step: usize) -> Vec<Event> {
    let mut socket = WebSocket::new(Pieces { left: bytes, step }, role, &[], MAX_FRAME);
    let mut events = Vec::new();
    loop {
        let Poll::Ready(incoming) = socket.poll_read(&mut Context::from_waker(Waker::noop())) else {
            panic!("waits for a stream that never does")
        };
        events.push(match incoming {
            Incoming::Frame(kind, payload) => Event::Data(kind, payload.to_vec()),
            Incoming::Alive | Incoming::Pong => Event::Alive,
            Incoming::Closed { .. } => Event::Closed,
            Incoming::Broken(_) => Event::Broken,
            Incoming::Lost => Event::Lost,
        });
        if let Some(Event::Closed | Event::Broken | Event::Lost) = events.last() {
            return events;
        }
    }
}

fn as_tungstenite(bytes: &[u8], role: Role) -> Vec<Event> {
    let config = WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
    let role = match role {
        Role::Server => tungstenite::protocol::Role::Server,
        Role::Client => tungstenite::protocol::Role::Client,
    };
    let mut socket = tungstenite::WebSocket::from_raw_socket(Pieces { left: bytes, step: usize::MAX }, role, Some(config));
    let mut events = Vec::new();
    loop {
        events.push(match socket.read() {
            Ok(Message::Text(text)) => Event::Data(FrameKind::Text, text.as_bytes().to_vec()),
            Ok(Message::Binary(bytes)) => Event::Data(FrameKind::Binary, bytes.to_vec()),
            Ok(Message::Ping(_) | Message::Pong(_)) => Event::Alive,
            // It hands on this frame in the place of one whose code nobody may send.
            Ok(Message::Close(Some(close))) if close.code == CloseCode::Protocol && close.reason == "Protocol violation" => {
                Event::Broken
            }
            Ok(Message::Close(_)) => Event::Closed,
            Ok(Message::Frame(_)) => panic!("a frame is no message"),
            Err(Error::Io(_) | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => Event::Lost,
            Err(_) => Event::Broken,
        });
        if let Some(Event::Closed | Event::Broken | Event::Lost) = events.last() {
            return events;
        }
    }
}

/// A stream that ends, read in pieces; what is written to it is gone.
struct Pieces<'a> {
    left: &'a [u8],
    step: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let piece = self.step.min(space.len()).min(self.left.len());
        self.left.read(&mut space[..piece])
    }
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, space: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let piece = self.step.min(space.remaining()).min(self.left.len());
        let (piece, left) = self.left.split_at(piece);
        space.put_slice(piece);
        self.left = left;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
