//! Cuts an encoded message into chunks: `u32le id | u32le offset | u32le total | bytes`.

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    super::{Encoded, Frame},
    FrameKind,
    writer::SegmentWriter,
};

/// Bytes of a chunk header.
pub(super) const HEADER: usize = 12;

/// Bytes of a chunk, header included. The reference sends 4 MiB; small chunks let replies go between
/// them and keep a partly written frame cheap. A little more than 128 KiB, so that binary data whose
/// size is a multiple of that leaves no chunk of a few bytes, which would cost a write of its own.
pub(super) const CHUNK: usize = 129 * 1024;

/// What a chunk says of itself.
pub(super) struct Header {
    /// Tells the messages of one direction apart.
    pub(super) id: u32,
    pub(super) offset: usize,
    /// Bytes of the whole message.
    pub(super) total: usize,
}

impl Header {
    /// The header of `chunk` and what follows it; `None` when there is no content.
    pub(super) fn split(chunk: &[u8]) -> Option<(Self, &[u8])> {
        let (header, content) = chunk.split_at_checked(HEADER)?;
        let mut fields = header.as_chunks().0.iter().map(|field| u32::from_le_bytes(*field));
        let (id, offset, total) = (fields.next()?, fields.next()? as usize, fields.next()? as usize);
        (!content.is_empty()).then_some((Self { id, offset, total }, content))
    }
}

/// The message that these frames are the chunks of.
pub(crate) fn joined(message: &Encoded) -> Bytes {
    let mut joined = BytesMut::with_capacity(message.len());
    for frame in message.frames() {
        joined.extend_from_slice(frame.head.get(HEADER..).unwrap_or_default());
        joined.extend_from_slice(&frame.body);
    }
    joined.freeze()
}

/// The frames of message `id`, of at most `chunk` bytes each; its writer left [`HEADER`] bytes free at its start.
#[inline]
pub(super) fn frames(id: u32, mut writer: SegmentWriter, chunk: usize) -> Encoded {
    let total = writer.len() - HEADER;
    if writer.shared.is_empty() && writer.inline.len() <= chunk {
        put_header(&mut &mut writer.inline[..HEADER], id, 0, total);
        return Encoded::one(Frame::new(FrameKind::Binary, writer.into_inline()));
    }
    let SegmentWriter { inline, shared } = writer;
    let mut cutter =
        Cutter { id, room: chunk - HEADER, total, offset: 0, frames: Vec::with_capacity(total / chunk + 2), lead: Bytes::new() };
    let inline = Bytes::from(inline);
    let mut done = HEADER;
    for (place, buffer) in shared {
        cutter.inline(inline.slice(done..place));
        cutter.shared(buffer);
        done = place;
    }
    cutter.inline(inline.slice(done..));
    cutter.finish()
}

struct Cutter {
    id: u32,
    /// Bytes of a message that one chunk has room for.
    room: usize,
    total: usize,
    offset: usize,
    frames: Vec<Frame>,
    /// Inline bytes that go before the next shared buffer, in the same chunk.
    lead: Bytes,
}

impl Cutter {
    fn inline(&mut self, mut bytes: Bytes) {
        while bytes.len() > self.room {
            let body = bytes.split_to(self.room);
            self.chunk(body);
        }
        self.lead = bytes;
    }

    fn shared(&mut self, mut buffer: Bytes) {
        while !buffer.is_empty() {
            let room = self.room - self.lead.len();
            let body = buffer.split_to(room.min(buffer.len()));
            if body.is_empty() {
                // The lead alone fills a chunk.
                let lead = std::mem::take(&mut self.lead);
                self.chunk(lead);
                continue;
            }
            self.chunk(body);
        }
    }

    fn chunk(&mut self, body: Bytes) {
        let lead = std::mem::take(&mut self.lead);
        let mut head = BytesMut::with_capacity(HEADER + lead.len());
        put_header(&mut head, self.id, self.offset, self.total);
        head.extend_from_slice(&lead);
        self.offset += lead.len() + body.len();
        self.frames.push(Frame { kind: FrameKind::Binary, head: head.freeze(), body });
    }

    fn finish(mut self) -> Encoded {
        if !self.lead.is_empty() {
            self.chunk(Bytes::new());
        }
        debug_assert_eq!(self.offset, self.total, "chunks cover the message");
        match <[Frame; 1]>::try_from(self.frames) {
            Ok([frame]) => Encoded::one(frame),
            Err(frames) => Encoded::divisible(frames),
        }
    }
}

/// Messages end below 4 GiB: the encoder refuses larger ones before they come here.
fn put_header(to: &mut impl BufMut, id: u32, offset: usize, total: usize) {
    let narrow = |number| u32::try_from(number).unwrap_or(u32::MAX);
    to.put_u32_le(id);
    to.put_u32_le(narrow(offset));
    to.put_u32_le(narrow(total));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(inline: usize, shared: &[(usize, usize)]) -> (Vec<u8>, SegmentWriter) {
        let mut writer = SegmentWriter::new(HEADER);
        writer.inline.extend((0..=250).cycle().take(inline));
        writer.shared = shared.iter().map(|&(at, len)| (at + HEADER, Bytes::from(vec![0xee; len]))).collect();
        let mut whole = writer.inline[HEADER..].to_vec();
        for (at, buffer) in writer.shared.iter().rev() {
            whole.splice(at - HEADER..at - HEADER, buffer.iter().copied());
        }
        (whole, writer)
    }

    #[test]
    fn chunks_cover_the_message_in_order() {
        let cases: [(usize, &[(usize, usize)]); 6] = [
            (10, &[]),
            (CHUNK - HEADER, &[]),
            (3 * CHUNK, &[]),
            (40, &[(20, 5 * CHUNK)]),
            (CHUNK + 40, &[(CHUNK - HEADER, 9000), (CHUNK, 9000)]),
            (8, &[(0, 9000), (0, 9000), (8, 9000)]),
        ];
        for (inline, shared) in cases {
            let (whole, writer) = message(inline, shared);
            let encoded = frames(7, writer, CHUNK);
            let mut joined = Vec::new();
            for frame in encoded.frames() {
                assert!(frame.len() <= CHUNK && frame.len() > HEADER);
                let field = |at: usize| u32::from_le_bytes(frame.head[at..at + 4].try_into().unwrap()) as usize;
                assert_eq!((field(0), field(4), field(8)), (7, joined.len(), whole.len()));
                joined.extend_from_slice(&frame.head[HEADER..]);
                joined.extend_from_slice(&frame.body);
            }
            assert!(joined == whole, "{inline} inline, {shared:?} shared");
        }
    }
}
