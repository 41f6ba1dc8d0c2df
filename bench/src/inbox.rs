//! Finds the messages in what a peer sends without keeping more than the beginning of each.

/// How the bytes of a peer are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A length of four bytes, then the message.
    Length,
    /// A WebSocket whose frames are messages.
    WebSocket,
    /// A WebSocket whose binary frames are chunks of messages: id, offset, total, bytes.
    Chunks,
}

/// Bytes kept of the beginning of each message.
const KEPT: usize = 160;

/// The opcode of a ping.
const PING: u8 = 9;

/// Bytes of a chunk's own header.
const CHUNK_HEADER: usize = 12;

/// A whole message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its length without framing.
    pub len: usize,
    /// Its first bytes.
    pub start: &'a [u8],
}

impl Message<'_> {
    /// The u64 at `at`.
    pub fn number(&self, at: usize) -> Option<u64> {
        Some(u64::from_le_bytes(self.start.get(at..at + 8)?.try_into().ok()?))
    }
}

/// The state between two reads.
pub struct Inbox {
    framing: Framing,
    /// Header of the frame, then the beginning of its payload.
    head: Vec<u8>,
    /// Header length and payload length, once known.
    frame: Option<(usize, usize)>,
    /// Payload bytes of the frame still to come.
    left: usize,
    /// The beginning of the message whose chunks are coming.
    large: Vec<u8>,
    /// What the last ping says that nobody has answered.
    pub ping: Option<Vec<u8>>,
}

impl Inbox {
    pub fn new(framing: Framing) -> Self {
        Self { framing, head: Vec::with_capacity(KEPT + 14), frame: None, left: 0, large: Vec::new(), ping: None }
    }

    /// Takes what was read and calls `on` for each message that ends in it.
    pub fn feed(&mut self, mut bytes: &[u8], mut on: impl FnMut(Message<'_>)) {
        while !bytes.is_empty() {
            let Some((header, payload)) = self.frame else {
                self.head.push(bytes[0]);
                bytes = &bytes[1..];
                self.frame = self.header();
                if let Some((_, payload)) = self.frame {
                    self.left = payload;
                    self.end_of_frame(&mut on);
                }
                continue;
            };
            let here = self.left.min(bytes.len());
            let keep = (header + payload.min(KEPT) - self.head.len()).min(here);
            self.head.extend_from_slice(&bytes[..keep]);
            self.left -= here;
            bytes = &bytes[here..];
            self.end_of_frame(&mut on);
        }
    }

    /// Lengths of header and payload, when the header is complete.
    fn header(&self) -> Option<(usize, usize)> {
        let head = &self.head;
        let big = |range: std::ops::Range<usize>| head[range].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        if self.framing == Framing::Length {
            return (head.len() == 4).then(|| (4, u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize));
        }
        match (head.len(), head.get(1)? & 127) {
            (2, len @ 0..126) => Some((2, len.into())),
            (4, 126) => Some((4, big(2..4))),
            (10, 127) => Some((10, big(2..10))),
            _ => None,
        }
    }

    fn end_of_frame(&mut self, on: &mut impl FnMut(Message<'_>)) {
        let Some((header, len)) = self.frame.take_if(|_| self.left == 0) else { return };
        let start = &self.head[header..];
        let control = self.framing != Framing::Length && self.head[0] & 8 != 0;
        if self.framing == Framing::Chunks && start.len() >= CHUNK_HEADER && !control {
            let field = |at: usize| u32::from_le_bytes([start[at], start[at + 1], start[at + 2], start[at + 3]]) as usize;
            let (offset, total) = (field(4), field(8));
            let (len, start) = (len - CHUNK_HEADER, &start[CHUNK_HEADER..]);
            if len == total {
                on(Message { len, start });
            } else {
                if offset == 0 {
                    self.large = start.to_vec();
                }
                if offset + len == total {
                    on(Message { len: total, start: &self.large });
                }
            }
        } else if !control {
            on(Message { len, start });
        } else if self.head[0] & 15 == PING {
            self.ping = Some(start.to_vec());
        }
        self.head.clear();
    }
}
