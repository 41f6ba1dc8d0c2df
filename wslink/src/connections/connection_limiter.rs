//! Limits concurrent connections, in total and per client subnet, so that one network cannot exhaust the server.
//!
//! Counts connections whatever protocol they speak. Those that are not authenticated yet have a limit of their own,
//! whether they are a WebSocket already or not.

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
pub(crate) struct ConnectionLimiter {
    max: usize,
    max_of_subnet: usize,
    max_unauthenticated: usize,
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
    unauthenticated: usize,
}

/// Why there is no place for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitReached {
    /// Everywhere.
    Server,
    /// For this address.
    Subnet,
}

impl LimitReached {
    /// As it is counted.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Server => "connections",
            Self::Subnet => "address",
        }
    }
}

impl ConnectionLimiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            max: limits.connections,
            max_of_subnet: limits.address_connections,
            max_unauthenticated: limits.address_unauthenticated,
            counts: Mutex::default(),
        }
    }

    /// A place for a connection, which is not authenticated yet; `subnet` where it is known already.
    pub(crate) fn acquire(self: &Arc<Self>, subnet: Option<Subnet>) -> Result<ConnectionPermit, LimitReached> {
        let mut counts = self.counts();
        if counts.all >= self.max {
            return Err(LimitReached::Server);
        }
        if let Some(subnet) = subnet {
            self.add(&mut counts, subnet)?;
        }
        counts.all += 1;
        Ok(ConnectionPermit {
            limiter: Arc::clone(self),
            subnet: subnet.map(OnceLock::from).unwrap_or_default(),
            known: AtomicBool::new(false),
        })
    }

    fn add(&self, counts: &mut Counts, subnet: Subnet) -> Result<(), LimitReached> {
        let count = counts.by_subnet.entry(subnet).or_default();
        // An entry that was made here has room, unless nobody at all may come.
        if count.all >= self.max_of_subnet || count.unauthenticated >= self.max_unauthenticated {
            if count.all == 0 {
                counts.by_subnet.remove(&subnet);
            }
            return Err(LimitReached::Subnet);
        }
        count.all += 1;
        count.unauthenticated += 1;
        Ok(())
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    limiter: Arc<ConnectionLimiter>,
    /// Where the connection is from; not set while only its proxy is known.
    subnet: OnceLock<Subnet>,
    known: AtomicBool,
}

impl ConnectionPermit {
    /// Counts the connection at `subnet`, unless it is counted somewhere.
    pub(crate) fn assign(&self, subnet: Subnet) -> Result<(), LimitReached> {
        let mut counts = self.limiter.counts();
        if self.subnet.get().is_none() {
            self.limiter.add(&mut counts, subnet)?;
            let _ = self.subnet.set(subnet);
        }
        Ok(())
    }

    /// The connection has said hello.
    pub(crate) fn authenticated(&self) {
        if !self.known.swap(true, Ordering::Relaxed)
            && let Some(subnet) = self.subnet.get()
            && let Some(count) = self.limiter.counts().by_subnet.get_mut(subnet)
        {
            count.unauthenticated -= 1;
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut counts = self.limiter.counts();
        counts.all -= 1;
        let Some(subnet) = self.subnet.get() else { return };
        if let Entry::Occupied(mut entry) = counts.by_subnet.entry(*subnet) {
            let count = entry.get_mut();
            count.all -= 1;
            count.unauthenticated -= usize::from(!*self.known.get_mut());
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

    fn limiter(connections: usize, address_connections: usize, address_unauthenticated: usize) -> Arc<ConnectionLimiter> {
        Arc::new(ConnectionLimiter::new(&Limits::with(|limits| {
            limits.connections = connections;
            limits.address_connections = address_connections;
            limits.address_unauthenticated = address_unauthenticated;
        })))
    }

    fn subnet(address: &str) -> Option<Subnet> {
        Some(address.parse::<IpAddr>().unwrap().into())
    }

    /// All connections, and the addresses that are known of.
    fn tally(limiter: &ConnectionLimiter) -> (usize, usize) {
        let counts = limiter.counts();
        (counts.all, counts.by_subnet.len())
    }

    #[test]
    fn one_address_cannot_take_the_places_of_others() {
        let limiter = limiter(10, 3, 2);
        let mut permits: Vec<_> = (0..2).map(|_| limiter.acquire(subnet("192.0.2.1")).unwrap()).collect();
        assert_eq!(limiter.acquire(subnet("192.0.2.1")).unwrap_err(), LimitReached::Subnet);
        assert_eq!(limiter.acquire(subnet("::ffff:192.0.2.1")).unwrap_err(), LimitReached::Subnet, "the same written otherwise");
        permits.push(limiter.acquire(subnet("192.0.2.2")).unwrap());
        permits[0].authenticated();
        permits[0].authenticated();
        permits.push(limiter.acquire(subnet("192.0.2.1")).unwrap());
        permits[1].authenticated();
        assert_eq!(limiter.acquire(subnet("192.0.2.1")).unwrap_err(), LimitReached::Subnet, "three in all");
        permits.clear();
        assert_eq!(tally(&limiter), (0, 0));
    }

    #[test]
    fn a_customer_of_ipv6_is_one_address() {
        let limiter = limiter(10, 10, 1);
        let _permit = limiter.acquire(subnet("2001:db8:0:1::1")).unwrap();
        assert_eq!(limiter.acquire(subnet("2001:db8:0:1:ffff::2")).unwrap_err(), LimitReached::Subnet);
        limiter.acquire(subnet("2001:db8:0:2::1")).unwrap();
    }

    #[test]
    fn who_comes_through_a_proxy_is_counted_when_it_is_known() {
        let limiter = limiter(4, 10, 1);
        let permits: Vec<_> = (0..4).map(|_| limiter.acquire(None).unwrap()).collect();
        assert_eq!(limiter.acquire(None).unwrap_err(), LimitReached::Server);
        let client = subnet("192.0.2.1").unwrap();
        assert_eq!(permits[0].assign(client), Ok(()));
        assert_eq!(permits[0].assign(client), Ok(()), "once is enough");
        assert_eq!(permits[1].assign(client), Err(LimitReached::Subnet));
        permits[0].authenticated();
        assert_eq!(permits[1].assign(client), Ok(()));
        drop(permits);
        assert_eq!(tally(&limiter), (0, 0));
    }

    #[test]
    fn where_nobody_may_come_nothing_is_kept() {
        let limiter = limiter(4, 4, 0);
        assert_eq!(limiter.acquire(subnet("192.0.2.1")).unwrap_err(), LimitReached::Subnet);
        assert_eq!(tally(&limiter), (0, 0));
    }
}
