//! Numbers that many threads add to, each with its meter of the facade.

use std::sync::atomic::{AtomicU64, Ordering};

use super::meters::{Counter, Gauge};

/// Only grows.
pub(super) struct Count {
    total: AtomicU64,
    meter: Counter,
}

impl Count {
    pub(super) const fn new(meter: Counter) -> Self {
        Self { total: AtomicU64::new(0), meter }
    }

    /// Returns what it is now.
    pub(super) fn add(&self, more: u64) -> u64 {
        self.meter.increment(more);
        self.total.fetch_add(more, Ordering::Relaxed) + more
    }

    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

/// Grows and shrinks, by no more than it has grown.
pub(super) struct Level {
    now: AtomicU64,
    meter: Gauge,
}

impl Level {
    pub(super) const fn new(meter: Gauge) -> Self {
        Self { now: AtomicU64::new(0), meter }
    }

    pub(super) fn add(&self, more: u64) {
        self.now.fetch_add(more, Ordering::Relaxed);
        self.meter.increment(float(more));
    }

    /// Whoever sees that it is less sees what was counted before.
    pub(super) fn subtract(&self, less: u64) {
        self.now.fetch_sub(less, Ordering::Release);
        self.meter.decrement(float(less));
    }

    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Acquire)
    }
}

/// The facade's gauges are floating.
#[allow(clippy::cast_precision_loss, reason = "a gauge of petabytes may be a byte off")]
const fn float(number: u64) -> f64 {
    number as f64
}
