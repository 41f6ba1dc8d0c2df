//! The calls of one method: how many ended how, and how long they took.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Outcome,
    meters::{Histogram, Meters},
    number::Count,
    statistics::MethodStatistics,
};

/// Bucket `n` has the calls of less than 2ⁿ µs, and the last one all longer ones.
const BUCKETS: usize = 26;

pub(super) struct Method {
    uri: &'static str,
    /// Made when there is something to count, so that the facade shows no outcomes that never were.
    outcomes: [OnceLock<Count>; Outcome::COUNT],
    durations: [AtomicU64; BUCKETS],
    nanoseconds: AtomicU64,
    running: AtomicU64,
    meter: OnceLock<Histogram>,
}

impl Method {
    pub(super) fn new(uri: &'static str) -> Self {
        Self {
            uri,
            outcomes: std::array::from_fn(|_| OnceLock::new()),
            durations: std::array::from_fn(|_| AtomicU64::new(0)),
            nanoseconds: AtomicU64::new(0),
            running: AtomicU64::new(0),
            meter: OnceLock::new(),
        }
    }

    pub(super) fn begun(&self) {
        self.running.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that had begun has ended.
    pub(super) fn ended(&self, meters: &Meters, outcome: Outcome, took: Duration) {
        self.durations[bucket(took)].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        let labels = [("method", self.uri)];
        self.meter.get_or_init(|| meters.histogram("wslink_call_duration_seconds", &labels)).record(took.as_secs_f64());
        self.answered(meters, outcome);
        // Whoever no longer sees it run sees how it ended.
        self.running.fetch_sub(1, Ordering::Release);
    }

    pub(super) fn answered(&self, meters: &Meters, outcome: Outcome) {
        let labels = [("method", self.uri), ("outcome", outcome.as_str())];
        self.outcomes[outcome as usize].get_or_init(|| Count::new(meters.counter("wslink_calls_total", &labels))).add(1);
    }

    /// `None` when nobody has called it.
    pub(super) fn statistics(&self) -> Option<MethodStatistics> {
        let count = |outcome: Outcome| self.outcomes[outcome as usize].get().map(|count| (outcome.as_str(), count.total()));
        let running = self.running.load(Ordering::Acquire);
        let outcomes: Vec<_> = Outcome::ALL.into_iter().filter_map(count).collect();
        if outcomes.is_empty() && running == 0 {
            return None;
        }
        Some(MethodStatistics {
            method: self.uri,
            outcomes: outcomes.into_iter().collect(),
            in_flight: running,
            seconds: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)).as_secs_f64(),
            buckets: self.durations.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect(),
        })
    }
}

fn bucket(took: Duration) -> usize {
    let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let bits = u64::BITS - microseconds.leading_zeros();
    usize::try_from(bits).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_powers_of_two() {
        let buckets = [0, 1, 2, 3, 4, 1000, 1 << 24, u64::MAX].map(|us| bucket(Duration::from_micros(us)));
        assert_eq!(buckets, [0, 1, 2, 2, 3, 10, 25, 25]);
    }

    #[test]
    fn every_outcome_has_a_place() {
        assert!(Outcome::ALL.into_iter().enumerate().all(|(place, outcome)| outcome as usize == place));
    }
}
