//! Messages that are larger than this server takes: each is refused once, by the id of its request, and
//! what still comes of it is dropped, so that the connection may stay.

use std::collections::HashMap;

use super::{
    super::{MessageId, Violation},
    chunks::Header,
    scan,
};

pub(super) struct Oversize {
    /// What is still to come of each refused message, by the id of its chunks.
    refused: HashMap<u32, Rest>,
    /// Bytes that were dropped of them.
    dropped: usize,
    max_message: usize,
    max_refused: usize,
}

struct Rest {
    total: usize,
    left: usize,
}

/// What is to be done with a chunk.
pub(super) enum Fate {
    /// It belongs to a message that may be taken, or to one that cannot be answered.
    Take,
    Drop,
    /// It begins a message of so many bytes that is too large; its request has this id.
    Refuse(MessageId, usize),
}

impl Oversize {
    pub(super) fn new(max_message: usize, max_refused: usize) -> Self {
        Self { refused: HashMap::new(), dropped: 0, max_message, max_refused }
    }

    /// How many refused messages have not come to their end, and how far they have come.
    pub(super) fn incomplete(&self) -> (usize, usize) {
        (self.refused.len(), self.dropped)
    }

    #[inline]
    pub(super) fn judge(&mut self, chunk: &[u8]) -> Result<Fate, Violation> {
        let Some((Header { id, offset, total }, content)) = Header::split(chunk) else { return Ok(Fate::Take) };
        if let Some(rest) = self.refused.get_mut(&id) {
            if rest.total != total {
                return Err(Violation::protocol("chunks disagree about the length of their message"));
            }
            rest.left = rest.left.checked_sub(content.len()).ok_or(Violation::protocol("chunk overlaps another"))?;
            self.dropped += content.len();
            if rest.left == 0 {
                self.refused.remove(&id);
            }
            if self.refused.is_empty() {
                self.dropped = 0;
            }
            return Ok(Fate::Drop);
        }
        if total <= self.max_message || offset > 0 || content.len() > total {
            return Ok(Fate::Take);
        }
        let Some(request) = scan::leading_id(content) else { return Ok(Fate::Take) };
        if content.len() < total {
            if self.refused.len() >= self.max_refused {
                return Err(Violation::policy("too many incomplete messages"));
            }
            self.refused.insert(id, Rest { total, left: total - content.len() });
        }
        Ok(Fate::Refuse(request, total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(id: u32, offset: u32, total: u32, bytes: &[u8]) -> Vec<u8> {
        [&id.to_le_bytes()[..], &offset.to_le_bytes(), &total.to_le_bytes(), bytes].concat()
    }

    const CALL: &[u8] = b"\x83\xa6wslink\xa31.0\xa2id\xa1x\xa4args";

    fn oversize() -> Oversize {
        Oversize::new(100, 2)
    }

    #[test]
    fn it_is_refused_once_and_dropped_to_its_end() {
        let mut oversize = oversize();
        let rest = 200 - CALL.len();
        let first = oversize.judge(&chunk(1, 0, 200, CALL));
        assert!(matches!(first, Ok(Fate::Refuse(id, 200)) if id.as_bytes() == b"\xa1x"));
        for part in [&vec![0; rest - 1][..], &[0]] {
            assert!(matches!(oversize.judge(&chunk(2, 0, 100, b"other")), Ok(Fate::Take)));
            assert_eq!(oversize.incomplete().0, 1);
            assert!(matches!(oversize.judge(&chunk(1, 50, 200, part)), Ok(Fate::Drop)));
        }
        assert_eq!(oversize.incomplete(), (0, 0));
        assert!(matches!(oversize.judge(&chunk(1, 0, 200, CALL)), Ok(Fate::Refuse(..))), "the id is free again");
    }

    #[test]
    fn what_cannot_be_answered_is_left_to_be_refused() {
        let mut oversize = oversize();
        for bytes in [&b""[..], b"x", b"\x83\xa6wslink\xa31.0", b"\x82\xa2id\xc0", b"\x81\xa2id\xda\xff\xff", b"\xc1"] {
            assert!(matches!(oversize.judge(&chunk(1, 0, 200, bytes)), Ok(Fate::Take)), "{bytes:?}");
        }
        assert!(matches!(oversize.judge(&chunk(1, 1, 200, CALL)), Ok(Fate::Take)), "not the first chunk");
        assert!(matches!(oversize.judge(b"short"), Ok(Fate::Take)));
    }

    #[test]
    fn what_is_refused_is_bounded_and_must_not_contradict_itself() {
        let mut oversize = oversize();
        for id in [1, 2] {
            assert!(matches!(oversize.judge(&chunk(id, 0, 200, CALL)), Ok(Fate::Refuse(..))));
        }
        assert_eq!(oversize.judge(&chunk(3, 0, 200, CALL)).err().unwrap().code, 1008);
        assert_eq!(oversize.judge(&chunk(1, 50, 201, b"x")).err().unwrap().code, 1002);
        assert_eq!(oversize.judge(&chunk(1, 50, 200, &[0; 200])).err().unwrap().code, 1002);
    }
}
