//! WebSocket frames of a client.

use bytes::{BufMut, Bytes, BytesMut};

pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
const PONG: u8 = 10;

/// The mask of every frame. It is the servers that undo it, whatever it is.
const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];

/// Adds a final, masked frame.
pub(super) fn put(to: &mut BytesMut, opcode: u8, payload: &[u8]) {
    to.reserve(payload.len() + 14);
    to.put_u8(0x80 | opcode);
    match payload.len() {
        len @ 0..126 => to.put_u8(0x80 | len as u8),
        len @ 126..=0xffff => {
            to.put_u8(0x80 | 126);
            to.put_u16(len as u16);
        }
        len => {
            to.put_u8(0x80 | 127);
            to.put_u64(len as u64);
        }
    }
    to.put_slice(&MASK);
    to.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// The answer to a ping.
pub fn pong(payload: &[u8]) -> Bytes {
    frame(PONG, payload)
}

pub(super) fn frame(opcode: u8, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    put(&mut frame, opcode, payload);
    frame.freeze()
}
