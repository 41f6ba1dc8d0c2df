//! Who is connected, counted by address, so that nobody can take the place of everybody.
//!
//! Counts connections whatever they speak. Those that have not said hello are strangers, whether they
//! are a WebSocket already or not.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::Limits;

/// The connections of a server.
#[derive(Debug)]
pub(crate) struct Census {
    most: usize,
    most_of_subnet: usize,
    most_strangers: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_subnet: HashMap<Subnet, Count>,
}

#[derive(Debug, Default)]
struct Count {
    all: usize,
    strangers: usize,
}

/// Why there is no place for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// Everywhere.
    Server,
    /// For this address.
    Subnet,
}

impl Full {
    /// As it is counted.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Server => "connections",
            Self::Subnet => "address",
        }
    }
}

impl Census {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            most: limits.connections,
            most_of_subnet: limits.address_connections,
            most_strangers: limits.address_strangers,
            counts: Mutex::default(),
        }
    }

    /// A place for a connection, which is a stranger's; `subnet` where it is known already.
    pub(crate) fn enter(self: &Arc<Self>, subnet: Option<Subnet>) -> Result<Seat, Full> {
        let mut counts = self.counts();
        if counts.all >= self.most {
            return Err(Full::Server);
        }
        if let Some(subnet) = subnet {
            self.add(&mut counts, subnet)?;
        }
        counts.all += 1;
        Ok(Seat {
            census: Arc::clone(self),
            subnet: subnet.map(OnceLock::from).unwrap_or_default(),
            known: AtomicBool::new(false),
        })
    }

    fn add(&self, counts: &mut Counts, subnet: Subnet) -> Result<(), Full> {
        let count = counts.by_subnet.entry(subnet).or_default();
        // An entry that was made here has room, unless nobody at all may come.
        if count.all >= self.most_of_subnet || count.strangers >= self.most_strangers {
            if count.all == 0 {
                counts.by_subnet.remove(&subnet);
            }
            return Err(Full::Subnet);
        }
        count.all += 1;
        count.strangers += 1;
        Ok(())
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    census: Arc<Census>,
    /// Where the connection is from; not set while only its proxy is known.
    subnet: OnceLock<Subnet>,
    known: AtomicBool,
}

impl Seat {
    /// Counts the connection at `subnet`, unless it is counted somewhere.
    pub(crate) fn settle(&self, subnet: Subnet) -> Result<(), Full> {
        let mut counts = self.census.counts();
        if self.subnet.get().is_none() {
            self.census.add(&mut counts, subnet)?;
            let _ = self.subnet.set(subnet);
        }
        Ok(())
    }

    /// The connection has said hello.
    pub(crate) fn said_hello(&self) {
        if !self.known.swap(true, Ordering::Relaxed)
            && let Some(subnet) = self.subnet.get()
            && let Some(count) = self.census.counts().by_subnet.get_mut(subnet)
        {
            count.strangers -= 1;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.census.counts();
        counts.all -= 1;
        let Some(subnet) = self.subnet.get() else { return };
        if let Entry::Occupied(mut entry) = counts.by_subnet.entry(*subnet) {
            let count = entry.get_mut();
            count.all -= 1;
            count.strangers -= usize::from(!*self.known.get_mut());
            if count.all == 0 {
                entry.remove();
            }
        }
    }
}

/// What counts as one address: an IPv4 address, or the /64 that one customer has of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Subnet(IpAddr);

impl From<IpAddr> for Subnet {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
            address @ IpAddr::V4(_) => address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn census(connections: usize, address_connections: usize, address_strangers: usize) -> Arc<Census> {
        Arc::new(Census::new(&Limits::with(|limits| {
            limits.connections = connections;
            limits.address_connections = address_connections;
            limits.address_strangers = address_strangers;
        })))
    }

    fn subnet(address: &str) -> Option<Subnet> {
        Some(address.parse::<IpAddr>().unwrap().into())
    }

    /// All connections, and the addresses that are known of.
    fn tally(census: &Census) -> (usize, usize) {
        let counts = census.counts();
        (counts.all, counts.by_subnet.len())
    }

    #[test]
    fn one_address_cannot_take_the_places_of_others() {
        let census = census(10, 3, 2);
        let mut seats: Vec<_> = (0..2).map(|_| census.enter(subnet("192.0.2.1")).unwrap()).collect();
        assert_eq!(census.enter(subnet("192.0.2.1")).unwrap_err(), Full::Subnet);
        assert_eq!(census.enter(subnet("::ffff:192.0.2.1")).unwrap_err(), Full::Subnet, "the same written otherwise");
        seats.push(census.enter(subnet("192.0.2.2")).unwrap());
        seats[0].said_hello();
        seats[0].said_hello();
        seats.push(census.enter(subnet("192.0.2.1")).unwrap());
        seats[1].said_hello();
        assert_eq!(census.enter(subnet("192.0.2.1")).unwrap_err(), Full::Subnet, "three in all");
        seats.clear();
        assert_eq!(tally(&census), (0, 0));
    }

    #[test]
    fn a_customer_of_ipv6_is_one_address() {
        let census = census(10, 10, 1);
        let _seat = census.enter(subnet("2001:db8:0:1::1")).unwrap();
        assert_eq!(census.enter(subnet("2001:db8:0:1:ffff::2")).unwrap_err(), Full::Subnet);
        census.enter(subnet("2001:db8:0:2::1")).unwrap();
    }

    #[test]
    fn who_comes_through_a_proxy_is_counted_when_it_is_known() {
        let census = census(4, 10, 1);
        let seats: Vec<_> = (0..4).map(|_| census.enter(None).unwrap()).collect();
        assert_eq!(census.enter(None).unwrap_err(), Full::Server);
        let client = subnet("192.0.2.1").unwrap();
        assert_eq!(seats[0].settle(client), Ok(()));
        assert_eq!(seats[0].settle(client), Ok(()), "once is enough");
        assert_eq!(seats[1].settle(client), Err(Full::Subnet));
        seats[0].said_hello();
        assert_eq!(seats[1].settle(client), Ok(()));
        drop(seats);
        assert_eq!(tally(&census), (0, 0));
    }

    #[test]
    fn where_nobody_may_come_nothing_is_kept() {
        let census = census(4, 4, 0);
        assert_eq!(census.enter(subnet("192.0.2.1")).unwrap_err(), Full::Subnet);
        assert_eq!(tally(&census), (0, 0));
    }
}
