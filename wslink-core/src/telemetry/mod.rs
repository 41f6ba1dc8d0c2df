//! Counters and histograms of a server, kept where they are asked for.
//!
//! Has no clock but the one that it is given; a server without telemetry looks at none.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

pub use self::connection::Traffic;
pub use self::statistics::{ClientStatistics, MethodStatistics, Statistics, TopicStatistics};
pub use self::{
    call::{MethodRef, Observed},
    connection::{EventQueue, Open},
};
use self::{
    connection::Entry,
    meters::Meters,
    method::Method,
    number::{Count, Level},
    topic::Topic,
};
pub use crate::error::Outcome;
use crate::{Client, Delivery};

mod call;
mod connection;
#[cfg(feature = "metrics")]
mod meters;
#[cfg(not(feature = "metrics"))]
#[path = "meters_disabled.rs"]
mod meters;
mod method;
mod number;
mod statistics;
mod topic;

/// What stands for the names that only peers know, which have no bound.
const OTHER: &str = "(other)";

/// Topics that are counted each by itself; the others are counted together.
const TOPICS: usize = 1024;

/// Time since a moment that stays the same.
pub type Clock = fn() -> Duration;

/// What a server has done since it was built.
pub struct Telemetry {
    clock: Clock,
    meters: Meters,
    /// In the order of the dispatch table.
    methods: Box<[Method]>,
    /// Calls of what is not in the table.
    unknown: Method,
    running: Level,
    topics: RwLock<HashMap<String, Arc<Topic>>>,
    connections: Mutex<BTreeMap<u64, Arc<Entry>>>,
    opened: Count,
    open: Level,
    closed: Mutex<BTreeMap<&'static str, Count>>,
    refused: Mutex<BTreeMap<&'static str, Count>>,
    hellos_failed: Count,
    received: Count,
    sent: Count,
    messages_received: Count,
    frames_sent: Count,
    queued: Level,
    pings: meters::Histogram,
}

impl Telemetry {
    /// The telemetry of a server with these methods, in the order of its table. Passes everything
    /// on to the `metrics` facade when `metered`.
    pub fn new(methods: impl Iterator<Item = &'static str>, clock: Clock, metered: bool) -> Self {
        let meters = Meters::new(metered);
        let count = |name| Count::new(meters.counter(name, &[]));
        let level = |name| Level::new(meters.gauge(name));
        Self {
            clock,
            methods: methods.map(Method::new).collect(),
            unknown: Method::new(OTHER),
            running: level("wslink_calls_in_flight"),
            topics: RwLock::default(),
            connections: Mutex::default(),
            opened: count("wslink_connections_total"),
            open: level("wslink_connections"),
            closed: Mutex::default(),
            refused: Mutex::default(),
            hellos_failed: count("wslink_hellos_failed_total"),
            received: count("wslink_received_bytes_total"),
            sent: count("wslink_sent_bytes_total"),
            messages_received: count("wslink_received_messages_total"),
            frames_sent: count("wslink_sent_frames_total"),
            queued: level("wslink_queued_bytes"),
            pings: meters.histogram("wslink_ping_seconds", &[]),
            meters,
        }
    }

    /// A connection has begun; it ends when what is returned is dropped.
    pub fn connected(self: &Arc<Self>, client: &Client, events: Arc<dyn EventQueue>) -> Open {
        self.open.add(1);
        let entry = Arc::new(Entry::new(client.clone(), events, (self.clock)()));
        let number = self.opened.add(1);
        lock(&self.connections).insert(number, Arc::clone(&entry));
        Open::new(Arc::clone(self), number, entry)
    }

    /// A connection has ended, for one of few reasons.
    pub fn closed(&self, reason: &'static str) {
        let count = || Count::new(self.meters.counter("wslink_connections_closed_total", &[("reason", reason)]));
        lock(&self.closed).entry(reason).or_insert_with(count).add(1);
    }

    /// A handshake was refused, for one of few reasons.
    pub fn refused(&self, reason: &'static str) {
        let count = || Count::new(self.meters.counter("wslink_handshakes_refused_total", &[("reason", reason)]));
        lock(&self.refused).entry(reason).or_insert_with(count).add(1);
    }

    /// Counts a failed hello.
    pub fn hello_failed(&self) {
        self.hellos_failed.add(1);
    }

    /// A call was answered before its handler was asked; `place` is its method's in the table.
    pub fn call_refused(&self, place: Option<usize>, outcome: Outcome) {
        self.method(place).answered(&self.meters, outcome);
    }

    /// A publication was given to so many clients, for which so many older events were dropped.
    pub fn published(&self, topic: &str, policy: Option<Delivery>, receivers: usize, dropped: usize) {
        self.topic(topic, policy).published(&self.meters, policy.unwrap_or_default(), receivers, dropped);
    }

    /// The counts of `topic`; of those named at run time, only what is also declared has its own.
    fn topic(&self, uri: &str, declared: Option<Delivery>) -> Arc<Topic> {
        let known = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = known.get(uri) {
            return Arc::clone(topic);
        }
        let uri = if declared.is_some() && known.len() < TOPICS { uri } else { OTHER };
        drop(known);
        let mut known = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(uri.to_owned()).or_insert_with(|| Arc::new(Topic::new(&self.meters, uri))))
    }

    fn method(&self, place: Option<usize>) -> &Method {
        place.and_then(|place| self.methods.get(place)).unwrap_or(&self.unknown)
    }
}

/// What is counted is right after every step, so poisoning means nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
