//! Puts chunks together to messages.
//!
//! Chunks of different messages may interleave and come in any order, down to one byte each. Memory
//! follows the bytes that came, never the length that a header claims; ranges are accounted for, so
//! a message is complete only when every byte of it came exactly once.

use std::collections::{BTreeMap, HashMap};

use bytes::{Buf, Bytes, BytesMut};

use super::{
    super::Violation,
    chunks::{HEADER, Header},
};
use crate::Limits;

/// What an out-of-order chunk costs beside its bytes, when counted against the limit.
const PIECE_OVERHEAD: usize = 128;

/// Messages from this size on leave their memory to the next: memory that is fresh from the operating
/// system costs more than everything else that is done with a large message.
const MIN_RECYCLED: usize = 1 << 20;

/// The incomplete messages of one connection.
pub(super) struct Assembler {
    partial: HashMap<u32, Partial>,
    /// The last large message; its memory is used again once nobody else has it.
    spare: Option<Bytes>,
    /// Bytes held for all of them.
    held: usize,
    max_message: usize,
    max_incomplete: usize,
    /// In force after hello.
    later: (usize, usize),
}

impl Assembler {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            partial: HashMap::new(),
            spare: None,
            held: 0,
            max_message: limits.hello_bytes,
            max_incomplete: 1,
            later: (limits.message_bytes, limits.incomplete_messages),
        }
    }

    pub(super) const fn authenticated(&mut self) {
        (self.max_message, self.max_incomplete) = self.later;
    }

    pub(super) fn incomplete(&self) -> (usize, usize) {
        (self.partial.len(), self.held)
    }

    /// Frees the buffer that is kept for the next message.
    pub(super) fn release_spare(&mut self) {
        self.spare = None;
    }

    /// Takes one chunk; returns the message that it completes.
    #[inline]
    pub(super) fn push(&mut self, mut chunk: Bytes) -> Result<Option<Bytes>, Violation> {
        let Some((Header { id, offset, total }, _)) = Header::split(&chunk) else {
            return Err(Violation::protocol("chunk without content"));
        };
        chunk.advance(HEADER);
        if offset.checked_add(chunk.len()).is_none_or(|end| end > total) {
            return Err(Violation::protocol("chunk beyond the end of its message"));
        }
        if total > self.max_message {
            return Err(Violation::too_large("message too large"));
        }
        if chunk.len() == total {
            // The common case: the message is the frame, and nothing is copied.
            return match self.partial.contains_key(&id) {
                true => Err(Violation::protocol("chunk overlaps another")),
                false => Ok(Some(chunk)),
            };
        }
        if !self.partial.contains_key(&id) && self.partial.len() >= self.max_incomplete {
            return Err(Violation::policy("too many incomplete messages"));
        }
        // Not for several at a time, each of which may hold as much as the largest message and show little for it.
        let recycles = total >= MIN_RECYCLED && self.partial.is_empty();
        let partial = self.partial.entry(id).or_insert_with(|| {
            let spare = self.spare.take_if(|_| recycles);
            Partial::new(total, spare.and_then(|spare| spare.try_into_mut().ok()).unwrap_or_default())
        });
        if partial.total != total {
            return Err(Violation::protocol("chunks disagree about the length of their message"));
        }
        let before = partial.held();
        partial.push(offset, &chunk)?;
        self.held = self.held - before + partial.held();
        // A quarter is left for the bookkeeping of chunks out of order.
        if self.held > self.max_message.saturating_add(self.max_message / 4) {
            return Err(Violation::policy("incomplete messages hold too much"));
        }
        if partial.joined.len() < total {
            return Ok(None);
        }
        self.held -= partial.held();
        let message = self.partial.remove(&id).map(|partial| partial.joined.freeze());
        if let Some(message) = message.as_ref().filter(|message| message.len() >= MIN_RECYCLED) {
            self.spare = Some(message.clone());
        }
        Ok(message)
    }
}

/// One incomplete message.
struct Partial {
    total: usize,
    /// From the start, without a gap.
    joined: BytesMut,
    /// Beyond a gap, by offset.
    pieces: BTreeMap<usize, Box<[u8]>>,
    /// Memory held by `pieces`.
    cost: usize,
}

impl Partial {
    fn new(total: usize, mut memory: BytesMut) -> Self {
        memory.clear();
        Self { total, joined: memory, pieces: BTreeMap::new(), cost: 0 }
    }

    fn held(&self) -> usize {
        self.joined.len() + self.cost
    }

    fn push(&mut self, offset: usize, chunk: &[u8]) -> Result<(), Violation> {
        const OVERLAP: Violation = Violation::protocol("chunk overlaps another");
        let end = offset + chunk.len();
        if offset < self.joined.len() || self.pieces.range(..end).next_back().is_some_and(|(at, piece)| at + piece.len() > offset)
        {
            return Err(OVERLAP);
        }
        if offset > self.joined.len() {
            // Copied, since a small piece would keep the whole read buffer alive.
            self.cost += chunk.len() + PIECE_OVERHEAD;
            self.pieces.insert(offset, Box::from(chunk));
            return Ok(());
        }
        self.append(chunk);
        while let Some(entry) = self.pieces.first_entry() {
            if *entry.key() != self.joined.len() {
                break;
            }
            let piece = entry.remove();
            self.cost -= piece.len() + PIECE_OVERHEAD;
            self.append(&piece);
        }
        Ok(())
    }

    /// Grows by doubling, but never beyond the message: what is held stays within twice what came.
    fn append(&mut self, bytes: &[u8]) {
        let needed = self.joined.len() + bytes.len();
        if needed > self.joined.capacity() {
            let target = needed.saturating_mul(2).min(self.total);
            self.joined.reserve(target - self.joined.len());
        }
        self.joined.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(id: u32, offset: u32, total: u32, bytes: &[u8]) -> Bytes {
        [&id.to_le_bytes()[..], &offset.to_le_bytes(), &total.to_le_bytes(), bytes].concat().into()
    }

    fn open() -> Assembler {
        let mut assembler = Assembler::new(&Limits::default());
        assembler.authenticated();
        assembler
    }

    #[test]
    fn any_order_and_interleaving_gives_the_message() {
        let mut assembler = open();
        let message: Vec<u8> = (0..100).collect();
        for start in [90_u8, 10, 0, 20] {
            let end = if start == 20 { 90 } else { start + 10 };
            let part = &message[start.into()..end.into()];
            let done = assembler.push(chunk(1, start.into(), 100, part)).unwrap();
            assert_eq!(done.is_some(), start == 20);
            if let Some(done) = done {
                assert_eq!(done, message);
            }
            assert!(assembler.push(chunk(u32::from(start) + 5, 0, 2, b"x")).unwrap().is_none());
        }
        assert_eq!(assembler.incomplete().0, 4);
    }

    #[test]
    fn one_byte_chunks_in_reverse() {
        let mut assembler = open();
        let message: Vec<u8> = (0..=255).collect();
        let done = message
            .iter()
            .enumerate()
            .rev()
            .map(|(at, byte)| assembler.push(chunk(9, u32::try_from(at).unwrap(), 256, &[*byte])).unwrap());
        assert_eq!(done.flatten().collect::<Vec<_>>(), std::slice::from_ref(&message));
    }

    #[test]
    fn inconsistent_chunks_are_refused() {
        let refused = |chunks: &[Bytes]| {
            let mut assembler = open();
            chunks.iter().map(|chunk| assembler.push(chunk.clone())).last().unwrap().unwrap_err().code
        };
        assert_eq!(refused(&[Bytes::from_static(b"short")]), 1002);
        assert_eq!(refused(&[chunk(1, 0, 0, b"")]), 1002);
        assert_eq!(refused(&[chunk(1, 0, 2, b"abc")]), 1002);
        assert_eq!(refused(&[chunk(1, u32::MAX, u32::MAX, b"abc")]), 1002);
        assert_eq!(refused(&[chunk(1, 0, u32::MAX, b"abc")]), 1009);
        assert_eq!(refused(&[chunk(1, 0, 4, b"a"), chunk(1, 0, 4, b"a")]), 1002);
        assert_eq!(refused(&[chunk(1, 2, 4, b"cd"), chunk(1, 1, 4, b"bc")]), 1002);
        assert_eq!(refused(&[chunk(1, 1, 9, b"bcd"), chunk(1, 2, 9, b"c")]), 1002);
        assert_eq!(refused(&[chunk(1, 0, 4, b"a"), chunk(1, 1, 5, b"b")]), 1002);
        assert_eq!(refused(&[chunk(1, 0, 4, b"a"), chunk(1, 0, 4, b"abcd")]), 1002);
    }

    #[test]
    fn the_memory_of_what_is_done_is_not_piled_up_behind_what_has_just_begun() {
        const LARGE: usize = 4 * MIN_RECYCLED;
        let mut assembler = open();
        let total = u32::try_from(LARGE).unwrap();
        for id in 0..10 {
            assert!(assembler.push(chunk(100, 0, total, &vec![0; LARGE - 1])).unwrap().is_none());
            assert!(assembler.push(chunk(100, total - 1, total, b"x")).unwrap().is_some());
            assert!(assembler.push(chunk(id, 0, total, b"x")).unwrap().is_none());
        }
        let memory: usize = assembler.partial.values().map(|partial| partial.joined.capacity()).sum();
        assert!(memory <= 2 * LARGE, "{memory} bytes for 10");
    }

    #[test]
    fn before_hello_little_is_accepted() {
        let mut assembler = Assembler::new(&Limits::default());
        assert_eq!(assembler.push(chunk(1, 0, 5000, b"a")).unwrap_err().code, 1009);
        assert!(assembler.push(chunk(1, 0, 3, b"a")).unwrap().is_none());
        assert_eq!(assembler.push(chunk(2, 0, 3, b"a")).unwrap_err().code, 1008);
    }
}
