//! Control frames: RFC 6455, section 5.5.

use bytes::{Buf, Bytes};
use wslink_core::wire::Violation;

/// The longest payload of a control frame.
pub(super) const MAX_PAYLOAD: usize = 125;

/// No code: RFC 6455, section 7.4.1.
pub(super) const NO_CODE: u16 = 1005;

/// A control frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Control {
    /// Its payload is to be sent back.
    Ping(Bytes),
    Pong,
    Close {
        code: u16,
        reason: String,
    },
}

impl Control {
    /// The frame of this opcode, which is one of a control frame, and payload.
    pub(super) fn read(opcode: u8, payload: Bytes) -> Result<Self, Violation> {
        match opcode {
            8 => close(payload),
            9 => Ok(Self::Ping(payload)),
            _ => Ok(Self::Pong),
        }
    }
}

fn close(mut payload: Bytes) -> Result<Control, Violation> {
    if payload.is_empty() {
        return Ok(Control::Close { code: NO_CODE, reason: String::new() });
    }
    let code = payload.try_get_u16().ok().filter(|code| is_sent(*code));
    let code = code.ok_or(Violation::protocol("invalid close code"))?;
    let reason = String::from_utf8(payload.into()).map_err(|_| Violation::malformed("close reason is not UTF-8"))?;
    Ok(Control::Close { code, reason })
}

/// Whether a close frame may have this code.
const fn is_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_frames_are_checked() {
        let read = |payload: &'static [u8]| Control::read(8, Bytes::from_static(payload));
        assert_eq!(read(b""), Ok(Control::Close { code: 1005, reason: String::new() }));
        assert_eq!(read(b"\x03\xe8bye"), Ok(Control::Close { code: 1000, reason: "bye".to_owned() }));
        for (payload, code) in [(&b"\x03"[..], 1002), (b"\x03\xed", 1002), (b"\x13\x88", 1002), (b"\x03\xe8\xff", 1007)] {
            assert_eq!(read(payload).unwrap_err().code, code, "{payload:?}");
        }
    }
}
