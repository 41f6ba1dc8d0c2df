//! TCP connections to names with several addresses, tried as RFC 8305 (Happy Eyeballs) says: alternately of both
//! families, each a moment after the one before, and the first that connects wins.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::net::{TcpStream, lookup_host};

/// After so long without an answer the next address is tried as well: the recommendation of RFC 8305.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to one of the addresses of `host`.
pub(super) async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses = lookup_host((host, port)).await?.collect();
    let stream = race(alternate(addresses), TcpStream::connect).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The same addresses, alternately of both families; the family that the system prefers goes first.
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (preferred, other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv4() == first);
    let mut other = other.into_iter();
    let mut order: Vec<_> = preferred.into_iter().flat_map(|address| [Some(address), other.next()]).flatten().collect();
    order.extend(other);
    order
}

/// The first connection that is made. Where none is, the last error.
async fn race<S, C>(addresses: Vec<SocketAddr>, connect: impl Fn(SocketAddr) -> C) -> io::Result<S>
where
    C: Future<Output = io::Result<S>>,
{
    let mut addresses = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        let next = addresses.next();
        let is_last = next.is_none();
        attempts.extend(next.map(&connect));
        let outcome = if is_last {
            attempts.next().await
        } else {
            tokio::time::timeout(ATTEMPT_DELAY, attempts.next()).await.ok().flatten()
        };
        match outcome {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => last = error,
            None if is_last => return Err(last),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_of_both_families_are_tried_alternately() {
        let (v6, v4) = (|n: u16| address(&format!("[2001:db8::{n}]:80")), |n: u16| address(&format!("192.0.2.{n}:80")));
        assert_eq!(alternate(vec![v6(1), v6(2), v6(3), v4(1)]), [v6(1), v4(1), v6(2), v6(3)]);
        assert_eq!(alternate(vec![v4(1), v6(1), v6(2)]), [v4(1), v6(1), v6(2)]);
        assert!(alternate(Vec::new()).is_empty());
    }

    /// Connects after so many milliseconds to ports above 1000, and fails after as many to others.
    async fn attempt(address: SocketAddr) -> io::Result<u16> {
        let port = address.port();
        sleep(Duration::from_millis(u64::from(port % 1000))).await;
        if port > 1000 { Ok(port) } else { Err(io::Error::other(format!("refused by {port}"))) }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_address_that_connects_wins() {
        let addresses = |ports: &[u16]| ports.iter().map(|port| address(&format!("192.0.2.1:{port}"))).collect();
        for (ports, milliseconds, connected) in [
            // The first one is slow, so the second one is tried, too.
            (&[1900, 1010][..], 260, Ok(1010)),
            (&[1300, 1100], 300, Ok(1300)),
            // A refusal is followed by the next address at once.
            (&[10, 20, 1030], 60, Ok(1030)),
            (&[10, 400], 410, Err("refused by 400")),
            (&[], 0, Err("the name has no address")),
        ] {
            let start = Instant::now();
            let outcome = race(addresses(ports), attempt).await;
            assert_eq!(start.elapsed().as_millis(), milliseconds, "{ports:?}");
            assert_eq!(outcome.map_err(|error| error.to_string()), connected.map_err(str::to_owned), "{ports:?}");
        }
    }
}
