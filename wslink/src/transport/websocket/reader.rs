//! Frames from the bytes of a stream: small ones from a buffer, large ones read straight into a buffer of their own.

use std::{
    future::Future,
    io,
    mem::MaybeUninit,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use wslink_core::wire::{FrameKind, Violation};

use super::{
    Role,
    control::{self, Control},
    header::{Header, mask},
};

/// Read at once, on the stack, and copied.
const SPACE: usize = 16 * 1024;

/// Larger frames are read where they stay, so much at once that it is unmasked while it is in the
/// processor's cache.
const STEP: usize = 256 * 1024;

/// A message may reserve so many times the memory of what came of it.
const GROWTH: usize = 16;

/// Messages from this size on leave their memory to the next: memory that is fresh from the operating system costs more
/// than everything else that is done with a large message.
const MIN_RECYCLED: usize = 512 * 1024;

/// The longest header of a frame: no more is read on the stack of a frame that is expected to be large.
const HEADER: usize = 14;

const BROKEN: Violation = Violation::protocol("broken WebSocket framing");

pub(super) struct Reader {
    /// Read and not taken yet.
    buffer: BytesMut,
    message: Option<Incomplete>,
    /// The last large message; its memory is used again once nobody else has it.
    spare: Option<Bytes>,
    /// The last message was large, and so may be the next.
    expects_large: bool,
    role: Role,
    max_frame: usize,
    total: u64,
}

/// What comes next.
pub(super) enum Next {
    Message(FrameKind, Bytes),
    Control(Control),
    Broken(Violation),
    /// The stream ended or failed.
    Lost,
}

/// A message that has begun.
struct Incomplete {
    kind: FrameKind,
    payload: BytesMut,
    /// Bytes of the current frame still to come.
    left: usize,
    mask: [u8; 4],
    is_final: bool,
}

impl Reader {
    pub(super) fn new(read: &[u8], role: Role, max_frame: usize) -> Self {
        let total = read.len() as u64;
        Self { buffer: read.into(), message: None, spare: None, expects_large: false, role, max_frame, total }
    }

    /// Bytes read since the beginning.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// Bytes of a message that is not complete.
    pub(super) fn partial(&self) -> usize {
        self.message.as_ref().map_or(0, |message| message.payload.len() + 1)
    }

    #[cfg(feature = "server")]
    pub(super) const fn set_max_frame(&mut self, max_frame: usize) {
        self.max_frame = max_frame;
    }

    /// Frees the memory that is kept for the next large message.
    pub(super) fn release_spare(&mut self) {
        self.spare = None;
    }

    /// The next message or control frame.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>, mut stream: Pin<&mut impl AsyncRead>) -> Poll<Next> {
        loop {
            match self.take() {
                Ok(Some(next)) => return Poll::Ready(next),
                Ok(None) => {}
                Err(violation) => return Poll::Ready(Next::Broken(violation)),
            }
            match ready!(self.poll_fill(cx, stream.as_mut())) {
                Ok(1..) => {}
                _ => return Poll::Ready(Next::Lost),
            }
        }
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, stream: Pin<&mut impl AsyncRead>) -> Poll<io::Result<usize>> {
        if let Some(message) = self.message.as_mut().filter(|message| message.left > SPACE) {
            let read = message.poll_fill(cx, stream);
            if let Poll::Ready(Ok(read)) = &read {
                self.total += *read as u64;
            }
            return read;
        }
        let mut space = [MaybeUninit::uninit(); SPACE];
        let room = if self.expects_large { HEADER } else { SPACE };
        let mut space = ReadBuf::uninit(&mut space[..room]);
        ready!(stream.poll_read(cx, &mut space))?;
        self.expects_large = false;
        if self.buffer.is_empty() {
            // Nothing is kept while nothing comes.
            self.buffer = space.filled().into();
        } else {
            self.buffer.extend_from_slice(space.filled());
        }
        self.total += space.filled().len() as u64;
        Poll::Ready(Ok(space.filled().len()))
    }

    /// Takes the next message from what was read.
    fn take(&mut self) -> Result<Option<Next>, Violation> {
        loop {
            if let Some(message) = &mut self.message
                && (message.left > 0 || message.is_final)
            {
                message.take(&mut self.buffer);
                if message.left > 0 {
                    return Ok(None);
                }
                if message.is_final
                    && let Some(Incomplete { kind, payload, .. }) = self.message.take()
                {
                    self.expects_large = payload.len() > SPACE;
                    let payload = payload.freeze();
                    self.spare = (payload.len() >= MIN_RECYCLED).then(|| payload.clone());
                    return checked(kind, payload).map(Some);
                }
            }
            let Some(header) = Header::parse(&self.buffer, self.role) else { return Ok(None) };
            if !header.is_valid {
                return Err(BROKEN);
            }
            let kind = match (header.opcode, &self.message) {
                (0, Some(message)) => message.kind,
                (1, None) => FrameKind::Text,
                (2, None) => FrameKind::Binary,
                (8..=10, _) => return self.take_control(&header),
                _ => return Err(BROKEN),
            };
            let before = self.message.as_ref().map_or(0, |message| message.payload.len());
            let payload = usize::try_from(header.payload).unwrap_or(usize::MAX);
            if payload > self.max_frame - before.min(self.max_frame) {
                return Err(Violation::too_large("frame too large"));
            }
            let end = header.len.saturating_add(payload);
            if self.message.is_none()
                && header.is_final
                && let Some(payload) = self.buffer.get_mut(header.len..end)
            {
                // The common case: the whole message is here, and is not moved.
                mask(payload, header.mask);
                let mut payload = match end == self.buffer.len() {
                    // Nobody to share with.
                    true => std::mem::take(&mut self.buffer).freeze(),
                    false => self.buffer.split_to(end).freeze(),
                };
                payload.advance(header.len);
                return checked(kind, payload).map(Some);
            }
            self.buffer.advance(header.len);
            let message = self.message.get_or_insert_with(|| {
                let spare = self.spare.take_if(|_| payload >= MIN_RECYCLED).and_then(|spare| spare.try_into_mut().ok());
                Incomplete::new(kind, spare.unwrap_or_default())
            });
            message.payload.reserve(payload.min(STEP));
            (message.left, message.mask, message.is_final) = (payload, header.mask, header.is_final);
        }
    }
}

impl Reader {
    /// Takes a control frame, which may stand between the frames of a message and has no part in its limit.
    fn take_control(&mut self, header: &Header) -> Result<Option<Next>, Violation> {
        let payload = usize::try_from(header.payload).ok().filter(|payload| *payload <= control::MAX_PAYLOAD && header.is_final);
        let end = header.len + payload.ok_or(BROKEN)?;
        if self.buffer.len() < end {
            return Ok(None);
        }
        let mut frame = self.buffer.split_to(end);
        frame.advance(header.len);
        mask(&mut frame, header.mask);
        Control::read(header.opcode, frame.freeze()).map(|control| Some(Next::Control(control)))
    }
}

impl Incomplete {
    fn new(kind: FrameKind, mut memory: BytesMut) -> Self {
        memory.clear();
        Self { kind, payload: memory, left: 0, mask: [0; 4], is_final: false }
    }

    /// Takes what `buffer` has of the current frame.
    fn take(&mut self, buffer: &mut BytesMut) {
        let here = self.left.min(buffer.len());
        let start = self.payload.len();
        self.payload.extend_from_slice(&buffer[..here]);
        buffer.advance(here);
        self.arrived(start);
    }

    /// Reads a part of the current frame where it is to stay.
    fn poll_fill(&mut self, cx: &mut Context<'_>, mut stream: Pin<&mut impl AsyncRead>) -> Poll<io::Result<usize>> {
        let start = self.payload.len();
        if start == self.payload.capacity() {
            // In proportion to what came, never by what is claimed. What is reserved and not written takes no memory.
            self.payload.reserve(self.left.min((start * GROWTH).max(STEP)));
        }
        let mut space = (&mut self.payload).limit(self.left.min(STEP));
        let read = ready!(pin!(stream.read_buf(&mut space)).poll(cx))?;
        self.arrived(start);
        Poll::Ready(Ok(read))
    }

    /// Unmasks what came from `start` on.
    fn arrived(&mut self, start: usize) {
        let arrived = &mut self.payload[start..];
        self.left -= arrived.len();
        mask(arrived, self.mask);
        self.mask.rotate_left(arrived.len() % 4);
    }
}

fn checked(kind: FrameKind, payload: Bytes) -> Result<Next, Violation> {
    match kind {
        FrameKind::Text if std::str::from_utf8(&payload).is_err() => Err(Violation::malformed("text is not UTF-8")),
        _ => Ok(Next::Message(kind, payload)),
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// What comes of `bytes`, read at most `step` at once.
    fn read(bytes: &[u8], step: usize) -> Vec<String> {
        let mut reader = Reader::new(&[], Role::Server, 100_000);
        let mut stream = in_steps(bytes, step);
        let mut cx = Context::from_waker(Waker::noop());
        let mut read = Vec::new();
        loop {
            let Poll::Ready(next) = reader.poll_next(&mut cx, Pin::new(&mut stream)) else { panic!("nothing comes") };
            read.push(match next {
                Next::Message(kind, payload) if payload.len() < 20 => format!("{kind:?} {}", String::from_utf8_lossy(&payload)),
                Next::Message(kind, payload) => {
                    format!("{kind:?} of {}, {}", payload.len(), payload.iter().all(|byte| *byte == b'x'))
                }
                Next::Control(control) => format!("{control:?}"),
                Next::Broken(violation) => violation.code.to_string(),
                Next::Lost => return read,
            });
            if read.last().is_some_and(|last| last.starts_with('1')) {
                return read;
            }
        }
    }

    fn in_steps(bytes: &[u8], step: usize) -> impl AsyncRead + Unpin {
        struct Steps(Vec<u8>, usize);
        impl AsyncRead for Steps {
            fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, space: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                let step = self.1.min(self.0.len()).min(space.remaining());
                space.put_slice(&self.0.drain(..step).collect::<Vec<_>>());
                Poll::Ready(Ok(()))
            }
        }
        Steps(bytes.to_vec(), step)
    }

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let key = [1, 2, 3, 4];
        let mut masked = payload.to_vec();
        mask(&mut masked, key);
        let len = payload.len();
        let length = match len {
            0..126 => vec![0x80 | u8::try_from(len).unwrap()],
            _ => [&[0x80 | 127][..], &(len as u64).to_be_bytes()].concat(),
        };
        [&[first][..], &length, &key, &masked].concat()
    }

    #[test]
    fn messages_of_any_size_and_number_of_frames_come_whole() {
        let large = vec![b'x'; 70_000];
        let frames = [
            frame(0x81, b"text"),
            frame(0x82, &large),
            frame(0x02, b""),
            frame(0x00, &large),
            frame(0x89, b"ping"),
            frame(0x80, b"x"),
            frame(0x82, b""),
        ];
        for step in [1, 7, 1000, usize::MAX] {
            let read = read(&frames.concat(), step);
            assert_eq!(read, ["Text text", "Binary of 70000, true", r#"Ping(b"ping")"#, "Binary of 70001, true", "Binary "]);
        }
    }

    #[test]
    fn a_ping_between_fragments_has_no_part_in_their_limit() {
        let frames = [frame(0x02, &[b'x'; 99_990]), frame(0x89, &[1; 100]), frame(0x80, &[b'x'; 10])];
        assert_eq!(read(&frames.concat(), 1000).last().unwrap(), "Binary of 100000, true");
    }

    #[test]
    fn no_length_is_too_large_to_be_claimed() {
        for max_frame in [125, usize::MAX] {
            for first in [0x82, 0x02, 0x89, 0x88] {
                let header = [&[first, 0xff][..], &[0xff; 8], &[0; 4]].concat();
                let mut reader = Reader::new(&header, Role::Server, max_frame);
                let mut cx = Context::from_waker(Waker::noop());
                let _ = reader.poll_next(&mut cx, Pin::new(&mut tokio::io::empty()));
            }
        }
    }

    #[test]
    fn frames_that_break_the_rules_are_refused() {
        let code = |frames: &[Vec<u8>]| read(&frames.concat(), usize::MAX).pop().unwrap();
        assert_eq!(code(&[frame(0x80, b"no beginning")]), "1002");
        assert_eq!(code(&[frame(0x02, b"a"), frame(0x82, b"b")]), "1002");
        assert_eq!(code(&[frame(0x81, b"\xff")]), "1007");
        assert_eq!(code(&[frame(0x82, &[0; 100_001])]), "1009");
        assert_eq!(code(&[frame(0x02, &[0; 60_000]), frame(0x80, &[0; 60_000])]), "1009");
        assert_eq!(code(&[frame(0xc2, b"rsv")]), "1002");
        assert_eq!(code(&[vec![0x82, 1, b'u']]), "1002", "not masked");
        assert_eq!(code(&[frame(0x83, b"")]), "1002", "an unknown opcode");
        assert_eq!(code(&[frame(0x09, b"")]), "1002", "a fragmented ping");
        assert_eq!(code(&[frame(0x89, &[0; 126])]), "1002", "a long ping");
    }
}
