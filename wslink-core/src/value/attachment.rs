//! Binary data that travels beside the text of a message, never through it.
//!
//! Serde only speaks of byte slices. So that bytes pass from the socket to the handler and back
//! without a copy, the side that owns a buffer *lends* it for the time of one serde call, and the
//! side that meets a slice asks whether the slice lies in the lent buffer. Knows no wire format.

use std::{cell::RefCell, fmt, ops::Deref};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A block of bytes as an argument, result or payload, alone or anywhere inside one.
///
/// Cheap to clone, and never copied between a handler and the socket when it is large. `bin` on the
/// MessagePack protocol, a binary frame of its own on the JSON protocol, `Uint8Array` or `Blob` in
/// a browser.
///
/// ```
/// # extern crate wslink_core as wslink;
/// #[derive(serde::Serialize)]
/// struct Image { blob: wslink::Attachment }
///
/// let image = Image { blob: vec![0x89, b'P', b'N', b'G'].into() };
/// assert_eq!(image.blob.len(), 4);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Attachment(Bytes);

impl Attachment {
    /// Takes the bytes without copying them.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// Bytes that are part of the program: not copied, not counted.
    #[must_use]
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self(Bytes::from_static(bytes))
    }

    /// The bytes, shared.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Deref for Attachment {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Attachment {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<B: Into<Bytes>> From<B> for Attachment {
    fn from(bytes: B) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attachment({} bytes)", self.0.len())
    }
}

impl Serialize for Attachment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        lend(&self.0, || serializer.serialize_bytes(&self.0))
    }
}

impl<'de> Deserialize<'de> for Attachment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(AttachmentVisitor)
    }
}

struct AttachmentVisitor;

impl de::Visitor<'_> for AttachmentVisitor {
    type Value = Attachment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("binary data")
    }

    fn visit_bytes<E: de::Error>(self, slice: &[u8]) -> Result<Attachment, E> {
        Ok(Attachment(borrow(slice).unwrap_or_else(|| Bytes::copy_from_slice(slice))))
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Attachment, E> {
        Ok(bytes.into())
    }
}

/// How many times its own size an attachment may keep alive.
const MAX_KEPT: usize = 8;

thread_local! {
    /// The buffers lent on this thread, innermost last.
    static LENT: RefCell<Vec<Bytes>> = const { RefCell::new(Vec::new()) };
}

/// Runs `within`, during which [`borrow`] finds slices of `buffer`.
pub fn lend<R>(buffer: &Bytes, within: impl FnOnce() -> R) -> R {
    struct Return;
    impl Drop for Return {
        fn drop(&mut self) {
            LENT.with_borrow_mut(Vec::pop);
        }
    }
    LENT.with_borrow_mut(|lent| lent.push(buffer.clone()));
    let _return = Return;
    within()
}

/// A shared handle to exactly `slice`, when it lies in the buffer lent last and is a good part of it:
/// what is kept must not keep alive what is many times larger.
pub fn borrow(slice: &[u8]) -> Option<Bytes> {
    LENT.with_borrow(|lent| {
        let buffer = lent.last()?;
        let start = (slice.as_ptr() as usize).checked_sub(buffer.as_ptr() as usize)?;
        let end = start.checked_add(slice.len())?;
        (end <= buffer.len() && slice.len() >= buffer.len() / MAX_KEPT).then(|| buffer.slice(start..end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_of_the_lent_buffer_is_shared() {
        let buffer = Bytes::from_static(b"0123456789");
        let found = lend(&buffer, || borrow(&buffer[2..5]));
        assert_eq!(found.as_deref(), Some(&b"234"[..]));
        assert_eq!(found.unwrap().as_ptr(), buffer[2..].as_ptr());
    }

    #[test]
    fn a_foreign_slice_is_not() {
        let buffer = Bytes::from_static(b"0123456789");
        assert!(lend(&buffer, || borrow(&[1, 2, 3].map(|x: u8| x))).is_none());
        assert!(borrow(&buffer[2..5]).is_none(), "returned after the call");
    }
}
