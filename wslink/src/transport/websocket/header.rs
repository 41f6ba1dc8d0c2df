//! The header of a WebSocket frame, and its mask.

use super::Role;

/// The header of a frame.
pub(super) struct Header {
    /// Its own bytes.
    pub(super) len: usize,
    /// The bytes of the payload.
    pub(super) payload: u64,
    pub(super) opcode: u8,
    pub(super) is_final: bool,
    pub(super) mask: [u8; 4],
    /// No extension bit is set, and the frame is masked as its sender must.
    pub(super) is_valid: bool,
}

impl Header {
    /// RFC 6455, 5.2; `None` when the header is not complete.
    pub(super) fn parse(bytes: &[u8], role: Role) -> Option<Self> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (payload, rest) = match second & 0x7f {
            126 => rest.split_first_chunk().map(|(len, rest)| (u16::from_be_bytes(*len).into(), rest))?,
            127 => rest.split_first_chunk().map(|(len, rest)| (u64::from_be_bytes(*len), rest))?,
            len => (len.into(), rest),
        };
        let is_masked = second & 0x80 != 0;
        let (mask, rest) = if is_masked { rest.split_first_chunk().map(|(mask, rest)| (*mask, rest))? } else { ([0; 4], rest) };
        Some(Self {
            len: bytes.len() - rest.len(),
            payload,
            opcode: first & 0x0f,
            is_final: first & 0x80 != 0,
            mask,
            is_valid: first & 0x70 == 0 && is_masked == (role == Role::Server),
        })
    }
}

/// Masks, or undoes it.
pub(super) fn mask(bytes: &mut [u8], mask: [u8; 4]) {
    // So many at a time that the compiler makes vectors of them.
    let wide = [mask; 8];
    let (chunks, rest) = bytes.as_chunks_mut::<32>();
    for chunk in chunks {
        chunk.iter_mut().zip(wide.as_flattened()).for_each(|(byte, mask)| *byte ^= mask);
    }
    let (words, rest) = rest.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    rest.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
}
