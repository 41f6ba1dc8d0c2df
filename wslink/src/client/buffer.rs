//! The buffer setting of a subscription: its size, and the policy for an overflow. Knows no payload.

use crate::Delivery;

/// How much of a subscription may wait to be taken, and what happens to more.
///
/// ```
/// use wslink::client::{Buffer, Overflow};
///
/// let newest = Buffer::latest();
/// let last = Buffer::new(16, Overflow::DropOldest);
/// let all = Buffer::new(10_000, Overflow::Fail).bytes(1 << 30);
/// ```
#[derive(Clone, Debug)]
pub struct Buffer {
    pub(super) payloads: usize,
    pub(super) bytes: usize,
    pub(super) overflow: Overflow,
}

/// What happens when a subscription's buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The oldest payload is dropped for the new one; [`Event::Skipped`](super::Event::Skipped) tells
    /// how many were.
    DropOldest,
    /// The subscription ends with [`Error::Lagged`](super::Error::Lagged).
    Fail,
}

impl Buffer {
    /// Room for so many payloads.
    #[must_use]
    pub const fn new(payloads: usize, overflow: Overflow) -> Self {
        Self { payloads, bytes: 256 << 20, overflow }
    }

    /// Only the newest payload waits.
    #[must_use]
    pub const fn latest() -> Self {
        Self::new(1, Overflow::DropOldest)
    }

    /// The same with another bound on the bytes of all waiting payloads, 256 MiB unless set. One
    /// payload of any size always has room.
    #[must_use]
    pub const fn bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// What loses as little as the topic itself does.
    pub(super) fn of(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Latest => Self::latest(),
            Delivery::DropOldest(count) => Self::new(count, Overflow::DropOldest),
            // A policy that is not known here is taken for one that loses nothing.
            _ => Self::default(),
        }
    }
}

impl Default for Buffer {
    /// 1024 payloads; a subscriber further behind gets [`Error::Lagged`](super::Error::Lagged)(super::Error::Lagged)].
    fn default() -> Self {
        Self::new(1024, Overflow::Fail)
    }
}
