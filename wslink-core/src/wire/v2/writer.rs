//! Collects an encoded message, leaving large attachments in the buffers they came in.

use std::cell::Cell;

use bytes::Bytes;

use crate::{codec::msgpack::Output, value::attachment};

/// Smaller attachments are copied: a copy is cheaper than another piece to write.
const MIN_SHARED: usize = 8 * 1024;

/// No more memory than this is kept for the next message.
const MAX_SPARE: usize = 4096;

thread_local! {
    /// Where this thread wrote its last small message, for the next one.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A message as bytes written here (`inline`) with shared buffers between them.
#[derive(Clone)]
pub(super) struct SegmentWriter {
    /// Begins with room for the first chunk's header.
    pub(super) inline: Vec<u8>,
    /// Each with its place in `inline`, in order.
    pub(super) shared: Vec<(usize, Bytes)>,
}

impl SegmentWriter {
    #[inline]
    pub(super) fn new(reserved: usize) -> Self {
        let mut inline = SPARE.try_with(Cell::take).unwrap_or_default();
        inline.reserve(128);
        inline.resize(reserved, 0);
        Self { inline, shared: Vec::new() }
    }

    /// All bytes of a message in which nothing is shared.
    #[inline]
    pub(super) fn into_inline(self) -> Bytes {
        let Self { mut inline, .. } = self;
        if inline.capacity() > MAX_SPARE {
            return inline.into();
        }
        // An exact copy costs less than memory for the writing of each message.
        let bytes = Bytes::copy_from_slice(&inline);
        inline.clear();
        let _ = SPARE.try_with(|spare| spare.set(inline));
        bytes
    }

    /// Bytes that are MessagePack, or a part of it, already.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.inline.extend_from_slice(bytes);
    }

    pub(super) fn len(&self) -> usize {
        self.inline.len() + self.shared.iter().map(|(_, buffer)| buffer.len()).sum::<usize>()
    }
}

impl Output for SegmentWriter {
    fn inline(&mut self) -> &mut Vec<u8> {
        &mut self.inline
    }

    fn binary(&mut self, bytes: &[u8]) {
        match (bytes.len() >= MIN_SHARED).then(|| attachment::borrow(bytes)).flatten() {
            Some(buffer) => self.shared.push((self.inline.len(), buffer)),
            None => self.inline.extend_from_slice(bytes),
        }
    }
}
