//! Throttles failed logins per client address with a token bucket; a successful login returns its token.
//!
//! Remembers a moment for each address with recent failures, and no more addresses than its limit.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};
use wslink_core::{identity::Authenticating, session::Verdict, wire::Violation};

use super::Subnet;
use crate::{Limits, Rejection};

/// The login throttle of a server. Clients that are authenticated already have buckets of their own: failed logins of
/// others at their address do not affect them.
pub(super) struct LoginThrottle {
    first: Buckets,
    again: Buckets,
}

impl LoginThrottle {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self { first: Buckets::new(limits, now), again: Buckets::new(limits, now) }
    }

    /// The buckets of connections that are not authenticated yet, or of those that are.
    pub(super) const fn of(&self, again: bool) -> &Buckets {
        if again { &self.again } else { &self.first }
    }

    /// Runs an authentication as soon as its address has a token; `again` where its connection is authenticated already.
    ///
    /// # Errors
    /// Too many wait before it.
    pub(super) async fn answer(
        self: Arc<Self>,
        from: Option<IpAddr>,
        again: bool,
        attempt: Authenticating,
    ) -> Result<Verdict, Violation> {
        let answered = self.of(again).pace(from, attempt, says_nothing_bad).await;
        answered.ok_or_else(|| Violation::policy("too many failed hellos from this address"))
    }
}

/// Whether the login was a good one, or failed through no fault of the client.
fn says_nothing_bad(verdict: &Verdict) -> bool {
    verdict.as_ref().err().is_none_or(Rejection::is_temporary)
}

/// Logins that may fail, by address.
pub(super) struct Buckets {
    /// Between two buckets that follow each other for long; zero when they are not limited.
    interval: Duration,
    /// How many tokens a bucket holds, as a time.
    burst: Duration,
    /// A login that would have to wait longer is refused.
    max_wait: Duration,
    room: usize,
    levels: Mutex<Levels>,
}

struct Levels {
    /// When the buckets of each address would be over, had each taken the interval.
    by_source: HashMap<Subnet, Instant>,
    /// The same for all together for whom there was no room.
    others: Instant,
    swept: Instant,
}

impl Buckets {
    fn new(limits: &Limits, now: Instant) -> Self {
        let interval = Duration::from_secs(1).checked_div(limits.address_failed_logins).unwrap_or_default();
        Self {
            interval,
            burst: interval.saturating_mul(limits.address_failed_logins.saturating_sub(1)),
            max_wait: limits.hello / 2,
            room: limits.throttled_addresses,
            levels: Mutex::new(Levels { by_source: HashMap::new(), others: now, swept: now }),
        }
    }

    /// The outcome of a login attempt, once it may be made; nothing when too many wait before it.
    pub(super) async fn pace<T>(
        &self,
        from: Option<IpAddr>,
        attempt: impl Future<Output = T>,
        is_good: impl FnOnce(&T) -> bool,
    ) -> Option<T> {
        // Who comes over no network is not told apart from others.
        let source = from.map(Subnet::from).filter(|_| !self.interval.is_zero());
        let Some(source) = source else { return Some(attempt.await) };
        let now = Instant::now();
        let turn = self.turn(source, now)?;
        if turn > now {
            sleep_until(turn).await;
        }
        let answer = attempt.await;
        if is_good(&answer) {
            self.give_back(source, Instant::now());
        }
        Some(answer)
    }

    /// When the next guess may be made; nothing when that is too late, and then it does not count.
    fn turn(&self, source: impl Into<Subnet>, now: Instant) -> Option<Instant> {
        let mut levels = self.levels();
        let pace = levels.of(source.into(), self.room, now);
        let behind = pace.saturating_duration_since(now);
        let wait = behind.saturating_sub(self.burst);
        if wait > self.max_wait {
            return None;
        }
        *pace = now + behind + self.interval;
        Some(now + wait)
    }

    fn give_back(&self, source: impl Into<Subnet>, now: Instant) {
        let mut levels = self.levels();
        let source = source.into();
        let Some(pace) = levels.by_source.get_mut(&source) else {
            levels.others = levels.others.checked_sub(self.interval).unwrap_or(now);
            return;
        };
        *pace = pace.checked_sub(self.interval).unwrap_or(now);
        if *pace <= now {
            levels.by_source.remove(&source);
        }
    }

    fn levels(&self) -> MutexGuard<'_, Levels> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Levels {
    /// How often those who have long paid for their buckets are looked for, when there is no room.
    const SWEEP: Duration = Duration::from_secs(1);

    fn of(&mut self, source: Subnet, room: usize, now: Instant) -> &mut Instant {
        if self.by_source.len() >= room && now >= self.swept + Self::SWEEP {
            self.swept = now;
            self.by_source.retain(|_, pace| *pace > now);
        }
        if self.by_source.len() >= room && !self.by_source.contains_key(&source) {
            return &mut self.others;
        }
        self.by_source.entry(source).or_insert(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn buckets(now: Instant) -> Buckets {
        Buckets::new(&Limits::default(), now)
    }

    #[test]
    fn an_address_failed_logins_twenty_times_at_once_and_then_twenty_times_a_second() {
        let start = Instant::now();
        let buckets = buckets(start);
        let turns: Vec<_> = std::iter::from_fn(|| buckets.turn(A, start)).collect();
        assert!(turns[..20].iter().all(|turn| *turn == start));
        let within = |seconds| turns.iter().filter(|turn| **turn <= start + Duration::from_secs(seconds)).count();
        assert_eq!([within(0), within(1), within(2), within(5)], [20, 40, 60, 120], "and no more, since nobody waits longer");
        assert_eq!(turns.len(), 120);
        assert_eq!(buckets.turn(B, start), Some(start), "nobody else waits");
    }

    #[test]
    fn whoever_is_right_never_waits_and_is_not_remembered() {
        let now = Instant::now();
        let buckets = buckets(now);
        for _ in 0..1000 {
            assert_eq!(buckets.turn(A, now), Some(now));
            buckets.give_back(A, now);
        }
        assert!(buckets.levels().by_source.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_inside_is_not_kept_from_saying_hello_again_by_buckets_outside() {
        let throttle = LoginThrottle::new(&Limits::default(), Instant::now());
        let outside: Vec<_> = (0..200).map(|_| throttle.of(false).turn(A, Instant::now())).collect();
        assert_eq!(outside.last(), Some(&None), "there are too many of them");
        assert_eq!(throttle.of(true).pace(Some(A), async {}, |()| true).await, Some(()));
    }

    #[test]
    fn the_right_secret_works_again_soon() {
        let start = Instant::now();
        let buckets = buckets(start);
        assert_eq!((0..100_000).filter_map(|_| buckets.turn(A, start)).count(), 120);
        let later = start + Duration::from_secs(6);
        assert_eq!(buckets.turn(A, later), Some(later));
    }

    #[test]
    fn a_network_of_one_subscriber_is_one_guesser() {
        let parse = |text: &str| Subnet::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(parse("2001:db8:1:2:3:4:5:6"), parse("2001:db8:1:2:ffff::1"));
        assert_ne!(parse("2001:db8:1:2::1"), parse("2001:db8:1:3::1"));
        assert_eq!(parse("::ffff:192.0.2.1"), A.into());
    }

    #[test]
    fn no_more_addresses_are_remembered_than_there_is_room_for() {
        let start = Instant::now();
        let buckets = buckets(start);
        let addresses = || (0..50_000_u32).map(|n| IpAddr::from(n.to_be_bytes()));
        let turns: Vec<_> = addresses().filter_map(|address| buckets.turn(address, start)).collect();
        assert_eq!(buckets.levels().by_source.len(), buckets.room);
        assert_eq!(turns.len(), buckets.room + 120, "all others together are one guesser");
        let later = start + Duration::from_secs(10);
        assert!(addresses().take(buckets.room).all(|address| buckets.turn(address, later) == Some(later)), "room again");
    }
}
