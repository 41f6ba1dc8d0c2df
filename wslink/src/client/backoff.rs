//! The delay before the next attempt to connect. Knows no connection.

use std::time::Duration;

/// When a lost connection is tried again: each attempt waits twice as long as the one before, up to a
/// longest time, of which a random half is left out so that clients do not come back all at once.
///
/// ```
/// use std::time::Duration;
/// use wslink::client::Backoff;
///
/// let patient = Backoff::default().longest(Duration::from_secs(60));
/// let brief = Backoff::default().attempts(3);
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: Option<u32>,
}

impl Default for Backoff {
    /// From 200 ms to 10 s, for ever.
    fn default() -> Self {
        Self { first: Duration::from_millis(200), longest: Duration::from_secs(10), attempts: None }
    }
}

impl Backoff {
    /// How long the first attempt waits.
    #[must_use]
    pub const fn first(self, first: Duration) -> Self {
        Self { first, ..self }
    }

    /// How long an attempt waits at most.
    #[must_use]
    pub const fn longest(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// After how many failed attempts the session is closed.
    #[must_use]
    pub const fn attempts(self, attempts: u32) -> Self {
        Self { attempts: Some(attempts), ..self }
    }

    /// How long to wait before `attempt`, the first being 1, after so many connections that were lost at once; `None` when
    /// it is one too many.
    pub(super) fn delay(&self, attempt: u32, short_lived: u32) -> Option<Duration> {
        if self.attempts.is_some_and(|attempts| attempt > attempts) {
            return None;
        }
        let doubled = 1_u32
            .checked_shl((attempt - 1).saturating_add(short_lived.saturating_sub(1)))
            .and_then(|factor| self.first.checked_mul(factor));
        let full = doubled.unwrap_or(self.longest).min(self.longest);
        // Without entropy all clients wait the same time, which is merely less kind to the server.
        let random = f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX);
        Some(full.mul_f64(1.0 - random / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_a_random_half_is_left_out() {
        let backoff = Backoff::default().first(Duration::from_secs(1)).longest(Duration::from_secs(5)).attempts(40);
        for (attempt, longest) in [(1, 1), (2, 2), (3, 4), (4, 5), (33, 5), (40, 5)] {
            let delay = backoff.delay(attempt, 0).unwrap();
            assert!(delay <= Duration::from_secs(longest) && delay * 2 >= Duration::from_secs(longest), "{attempt}: {delay:?}");
        }
        assert_eq!(backoff.delay(41, 0), None);
    }

    #[test]
    fn a_server_that_ends_every_connection_at_once_is_tried_ever_more_seldom() {
        let backoff = Backoff::default().first(Duration::from_secs(1)).longest(Duration::from_secs(60)).attempts(3);
        for (short_lived, longest) in [(1, 1), (2, 2), (3, 4), (6, 32), (u32::MAX, 60)] {
            let delay = backoff.delay(1, short_lived).unwrap();
            assert!(
                delay <= Duration::from_secs(longest) && delay * 2 >= Duration::from_secs(longest),
                "{short_lived}: {delay:?}"
            );
        }
    }
}
