//! The protocols that the clients of a hub speak. Each has a place, at which the frames of a publication are kept.

use crate::wire::{self, Protocol};

/// One for each place.
pub(super) type PerProtocol<T> = [T; PLACES];

/// As many as a server speaks, and [`BASE`].
const PLACES: usize = wire::Protocols::MAX + 1;

/// The place of protocol 2, which has one whether or not the server speaks it: what a topic retains is kept in it.
pub(super) const BASE: usize = 0;

/// A protocol with its place.
#[derive(Clone, Copy)]
pub(super) struct Spoken {
    pub(super) protocol: &'static dyn Protocol,
    pub(super) place: usize,
}

/// The protocols by their places, which they keep.
#[derive(Clone, Copy)]
pub(super) struct Places(PerProtocol<Option<&'static dyn Protocol>>);

impl Default for Places {
    fn default() -> Self {
        let mut places = [None; PLACES];
        places[BASE] = Some(wire::V2);
        Self(places)
    }
}

impl Places {
    /// The protocol with its place, if it has one.
    pub(super) fn find(&self, protocol: &dyn Protocol) -> Option<Spoken> {
        self.iter().find(|known| known.protocol.name() == protocol.name())
    }

    /// The protocol with its place, which it gets where it has none; nothing when all are taken.
    pub(super) fn add(&mut self, protocol: &'static dyn Protocol) -> Option<Spoken> {
        self.find(protocol).or_else(|| {
            let place = self.0.iter().position(Option::is_none)?;
            self.0[place] = Some(protocol);
            Some(Spoken { protocol, place })
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Spoken> {
        let at = |(place, protocol): (usize, &Option<&'static dyn Protocol>)| Some(Spoken { protocol: (*protocol)?, place });
        self.0.iter().enumerate().filter_map(at)
    }
}
