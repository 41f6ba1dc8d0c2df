//! A simulated TCP connection: two pipes with a delay, a bandwidth and a window, either of which may be cut.
//!
//! Bytes are counted and not copied: a message arrives when all bytes up to its end have.

use std::collections::VecDeque;

use bytes::Bytes;
use wslink_core::wire::FrameKind;

use super::hub_clients::Who;

/// Virtual time in milliseconds.
pub(crate) type Ms = u64;

/// How often a pipe of limited bandwidth takes bytes.
const QUANTUM: Ms = 5;

/// Bytes of a frame beside its payload.
const HEADER: u64 = 4;

/// What one end sends to the other.
#[derive(Debug)]
pub(crate) enum Item {
    /// A data frame, with the principal of the session at the moment that it was handed out.
    Data {
        kind: FrameKind,
        payload: Bytes,
        principal: Who,
    },
    Ping,
    Pong,
    /// A close frame with this code; of a server that has stopped in time, with the number of events of each topic that
    /// were published when it did.
    Close(u16, Option<Box<[u32]>>),
    /// The end of the stream without a close frame.
    End,
}

/// The properties of a pipe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    pub(crate) delay: Ms,
    /// Bytes per millisecond; 0 for any number.
    pub(crate) rate: u64,
    /// Bytes that may be written and not be read.
    pub(crate) window: u64,
}

impl Profile {
    /// The same without limits.
    pub(crate) fn unlimited(self) -> Self {
        Self { rate: 0, window: 1 << 16, ..self }
    }
}

/// One direction of a connection.
pub(crate) struct Pipe {
    pub(crate) profile: Profile,
    /// Everything that was not taken by the reader, each with the position of its end.
    items: VecDeque<(u64, Item)>,
    /// Positions: the end of what the writer handed over, of what the system took, of what arrived, of what was read,
    /// and of the last item that was taken.
    handed: u64,
    written: u64,
    arrived: u64,
    read: u64,
    taken: u64,
    /// The positions that arrive, and when.
    flight: VecDeque<(Ms, u64)>,
    next_pump: Ms,
    /// Nothing that is written arrives; the system still takes so many bytes.
    void: Option<u64>,
}

impl Pipe {
    pub(crate) const fn new(profile: Profile) -> Self {
        Self {
            profile,
            items: VecDeque::new(),
            handed: 0,
            written: 0,
            arrived: 0,
            read: 0,
            taken: 0,
            flight: VecDeque::new(),
            next_pump: 0,
            void: None,
        }
    }

    pub(crate) fn put(&mut self, item: Item) {
        self.handed += HEADER + if let Item::Data { payload, .. } = &item { payload.len() as u64 } else { 0 };
        self.items.push_back((self.handed, item));
    }

    /// The writer is gone. What it had not written is written yet where it is `flushed`, and else gone with it.
    pub(crate) fn end_after(&mut self, flushed: bool) {
        if !flushed {
            while self.items.pop_back_if(|(end, _)| *end > self.written).is_some() {}
            self.handed = self.written;
        }
        self.put(Item::End);
    }

    /// The system takes bytes of the writer. Returns whether it took any.
    pub(crate) fn pump(&mut self, now: Ms) -> bool {
        let mut bytes = self.handed - self.written;
        if let Some(room) = &mut self.void {
            bytes = bytes.min(*room);
            *room -= bytes;
            self.written += bytes;
            return bytes > 0;
        }
        if self.profile.rate > 0 {
            if now < self.next_pump {
                return false;
            }
            bytes = bytes.min(self.profile.rate * QUANTUM);
        }
        bytes = bytes.min(self.room());
        if bytes == 0 {
            return false;
        }
        self.written += bytes;
        self.flight.push_back((now + self.profile.delay, self.written));
        self.next_pump = now + QUANTUM;
        true
    }

    /// Whether [`pump`](Self::pump) takes bytes.
    pub(crate) fn can_pump(&self, now: Ms) -> bool {
        let room = self.void.unwrap_or_else(|| self.room());
        let waits = self.void.is_none() && self.profile.rate > 0 && now < self.next_pump;
        self.unwritten() > 0 && room > 0 && !waits
    }

    fn room(&self) -> u64 {
        self.profile.window.saturating_sub(self.written - self.read)
    }

    /// Whether bytes arrive by `now`.
    pub(crate) fn arrive(&mut self, now: Ms) -> bool {
        let before = self.arrived;
        while let Some((_, position)) = self.flight.pop_front_if(|(at, _)| *at <= now) {
            self.arrived = position;
        }
        self.arrived > before
    }

    /// When bytes arrive or the system takes some.
    pub(crate) fn next_event(&self) -> Ms {
        let arrival = self.flight.front().map_or(Ms::MAX, |(at, _)| *at);
        let waits = self.void.is_none() && self.profile.rate > 0 && self.unwritten() > 0 && self.room() > 0;
        arrival.min(if waits { self.next_pump } else { Ms::MAX })
    }

    /// The next item that has arrived. Without one, the reader has read what there is of it.
    pub(crate) fn take(&mut self) -> Option<Item> {
        match self.items.pop_front_if(|(end, _)| *end <= self.arrived) {
            Some((end, item)) => {
                self.taken = end;
                self.read = self.read.max(end);
                Some(item)
            }
            None => {
                self.read = self.arrived;
                None
            }
        }
    }

    /// From now on nothing that is written arrives; what is in flight does where it is `kept`.
    pub(crate) fn cut(&mut self, kept: bool, room: u64) {
        if !kept {
            self.flight.clear();
        }
        self.void.get_or_insert(room);
    }

    /// Bytes that the writer handed over and the system did not take.
    pub(crate) const fn unwritten(&self) -> u64 {
        self.handed - self.written
    }

    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    pub(crate) const fn read(&self) -> u64 {
        self.read
    }

    /// Bytes that were read of an item that is not complete.
    pub(crate) const fn partial(&self) -> u64 {
        self.read - self.taken
    }
}
