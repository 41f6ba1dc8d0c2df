//! Bytes on their way to a stream: small frames are gathered in one buffer, large payloads stay where they are and are
//! written beside it.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncWrite;

use wslink_core::wire::{Frame, FrameKind};

/// Payloads from this size on are not copied.
const MIN_SHARED: usize = 8 * 1024;

/// How many pieces one system call takes.
const MAX_SLICES: usize = 64;

/// Kept for the next frames when everything is written; more is given back.
const KEPT: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Writer {
    /// Before `gathered`.
    pieces: VecDeque<Bytes>,
    gathered: BytesMut,
    len: usize,
}

impl Writer {
    /// Bytes that are not written yet.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Adds an unmasked, final data frame.
    pub(super) fn put_frame(&mut self, frame: Frame) {
        let payload = frame.len();
        let (header, len) = header(opcode(frame.kind), payload);
        self.gathered.extend_from_slice(&header[..len]);
        self.len += len + payload;
        self.put_payload(frame.head);
        self.put_payload(frame.body);
    }

    /// Adds a final data frame, masked as a client's must be: copied once, since others may share it.
    pub(super) fn put_masked_frame(&mut self, frame: &Frame, mask: [u8; 4]) {
        self.put_parts(opcode(frame.kind), &[&frame.head, &frame.body], Some(mask));
    }

    /// Adds a control frame, masked where a client sends it.
    pub(super) fn put_control(&mut self, opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) {
        self.put_parts(opcode, &[payload], mask);
    }

    fn put_parts(&mut self, opcode: u8, parts: &[&[u8]], mask: Option<[u8; 4]>) {
        let before = self.gathered.len();
        let (mut header, len) = header(opcode, parts.iter().map(|part| part.len()).sum());
        if mask.is_some() {
            header[1] |= 0x80;
        }
        self.gathered.extend_from_slice(&header[..len]);
        self.gathered.extend_from_slice(mask.as_ref().map_or(&[][..], |mask| mask));
        let payload = self.gathered.len();
        parts.iter().for_each(|part| self.gathered.extend_from_slice(part));
        if let Some(mask) = mask {
            super::header::mask(&mut self.gathered[payload..], mask);
        }
        self.len += self.gathered.len() - before;
    }

    fn put_payload(&mut self, bytes: Bytes) {
        match bytes.len() {
            0 => {}
            1..MIN_SHARED => self.gathered.extend_from_slice(&bytes),
            _ => {
                if !self.gathered.is_empty() {
                    self.pieces.push_back(self.gathered.split().freeze());
                }
                self.pieces.push_back(bytes);
            }
        }
    }

    /// Writes until nothing is left or the socket takes no more.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, mut stream: Pin<&mut impl AsyncWrite>) -> Poll<io::Result<()>> {
        while self.len > 0 {
            let written = if self.pieces.is_empty() {
                ready!(stream.as_mut().poll_write(cx, &self.gathered))?
            } else {
                let mut slices = [IoSlice::new(&[]); MAX_SLICES];
                let mut count = 0;
                for piece in self.pieces.iter().map(|piece| &**piece).chain([&*self.gathered]).take(MAX_SLICES) {
                    slices[count] = IoSlice::new(piece);
                    count += 1;
                }
                ready!(stream.as_mut().poll_write_vectored(cx, &slices[..count]))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(written);
        }
        if self.gathered.capacity() > KEPT {
            self.gathered = BytesMut::new();
        }
        if self.pieces.capacity() > MAX_SLICES {
            self.pieces = VecDeque::new();
        }
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, mut written: usize) {
        self.len -= written;
        while let Some(piece) = self.pieces.front_mut() {
            if written < piece.len() {
                piece.advance(written);
                return;
            }
            written -= piece.len();
            self.pieces.pop_front();
        }
        self.gathered.advance(written);
    }
}

/// RFC 6455, 5.2: FIN and opcode, then the length in 7, 7 + 16 or 7 + 64 bits; and how many bytes that is.
fn header(opcode: u8, payload: usize) -> ([u8; 10], usize) {
    let mut header = [0; 10];
    header[0] = 0x80 | opcode;
    let length = (payload as u64).to_be_bytes();
    let len = match payload {
        0..=125 => {
            header[1] = length[7];
            2
        }
        126..=0xffff => {
            header[1] = 126;
            header[2..4].copy_from_slice(&length[6..]);
            4
        }
        _ => {
            header[1] = 127;
            header[2..].copy_from_slice(&length);
            10
        }
    };
    (header, len)
}

const fn opcode(kind: FrameKind) -> u8 {
    match kind {
        FrameKind::Text => 1,
        FrameKind::Binary => 2,
    }
}
