//! The policies by which events wait for a slow client.

/// What happens to a client that receives events of a topic slower than they are published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// Nothing is lost; a client that falls too far behind is disconnected (1013).
    #[default]
    Reliable,
    /// Only the newest event waits; older ones that were not sent yet are dropped. It takes the place of
    /// the oldest, so it may be sent before events of other topics that were published earlier.
    Latest,
    /// At most this many events wait; the oldest is dropped for a new one.
    DropOldest(usize),
}
