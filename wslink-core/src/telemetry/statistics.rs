//! The telemetry at one moment, as applications and the inspector read it.

use std::{collections::BTreeMap, sync::PoisonError};

use serde::Serialize;

use super::{Telemetry, lock};

/// What a server has done since it was built, and what it is doing.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Statistics {
    /// Seconds on the clock of the telemetry: the difference of two is the time between them.
    pub seconds: f64,
    /// Connections that are open.
    pub connections: u64,
    /// Connections that have ever been opened.
    pub connections_total: u64,
    /// Connections that have ended, by reason: the code of the close frame that the server sent,
    /// `closed` by the peer, or `lost`.
    pub connections_closed: BTreeMap<&'static str, u64>,
    /// Handshakes that were refused, by reason.
    pub handshakes_refused: BTreeMap<&'static str, u64>,
    /// Hellos that were refused.
    pub hellos_failed: u64,
    /// Calls that have begun and are not answered.
    pub calls_in_flight: u64,
    /// Bytes that were read from all connections.
    pub received_bytes: u64,
    /// Bytes that the sockets of all connections took.
    pub sent_bytes: u64,
    /// Messages of WebSocket that were read.
    pub received_messages: u64,
    /// Frames of WebSocket that were sent.
    pub sent_frames: u64,
    /// Bytes of replies and events that sockets have not taken.
    pub queued_bytes: u64,
    /// Every method that was called, in the order of their URIs; all others together are `(other)`.
    pub methods: Vec<MethodStatistics>,
    /// Every topic that was published, sorted; topics that are not declared together are `(other)`.
    pub topics: Vec<TopicStatistics>,
    /// Every open connection, oldest first.
    pub clients: Vec<ClientStatistics>,
}

/// The calls of one method.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct MethodStatistics {
    /// Its URI.
    pub method: &'static str,
    /// How many calls ended how.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// How many have begun and are not answered.
    pub in_flight: u64,
    /// What all that were begun took together.
    pub seconds: f64,
    /// How many took less than 1, 2, 4, 8 … microseconds and not less than the number before; the last
    /// one counts all longer ones.
    pub buckets: Vec<u64>,
}

/// The events of one topic.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TopicStatistics {
    /// Its URI.
    pub topic: String,
    /// How often it was published.
    pub published: u64,
    /// Events that were queued for a client.
    pub queued: u64,
    /// Events that were dropped from a queue, by policy.
    pub dropped: BTreeMap<&'static str, u64>,
}

/// One open connection.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ClientStatistics {
    /// The identity of the client.
    pub id: String,
    /// Its address, where it has one.
    pub address: Option<String>,
    /// The version of the protocol, once it has said hello.
    pub protocol: Option<&'static str>,
    /// How long it has been connected.
    pub age_seconds: f64,
    /// Bytes that were read from it.
    pub received_bytes: u64,
    /// Bytes that its socket took.
    pub sent_bytes: u64,
    /// Messages of WebSocket that were read from it.
    pub received_messages: u64,
    /// Frames of WebSocket that were sent to it.
    pub sent_frames: u64,
    /// Bytes of replies and events that its socket had not taken when its task last ran.
    pub queued_bytes: u64,
    /// Bytes of events that wait for it now.
    pub waiting_event_bytes: u64,
    /// Events that were dropped because it was too slow.
    pub dropped_events: u64,
    /// Its calls that have begun and are not answered.
    pub calls_in_flight: u64,
    /// The round trip of the last ping that it answered. Only silent connections are pinged.
    pub ping_seconds: Option<f64>,
}

impl Telemetry {
    /// What there is to know now.
    pub fn statistics(&self) -> Statistics {
        let now = (self.clock)();
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        let mut topics: Vec<_> = topics.values().map(|topic| topic.statistics()).collect();
        topics.sort_by(|a, b| a.topic.cmp(&b.topic));
        let entries: Vec<_> = lock(&self.connections).values().cloned().collect();
        let by_reason = |counts: &BTreeMap<&'static str, super::Count>| {
            counts.iter().map(|(reason, count)| (*reason, count.total())).collect()
        };
        Statistics {
            seconds: now.as_secs_f64(),
            // As many as are listed: a number of their own would be read at another moment.
            connections: entries.len() as u64,
            connections_total: self.opened.total(),
            connections_closed: by_reason(&lock(&self.closed)),
            handshakes_refused: by_reason(&lock(&self.refused)),
            hellos_failed: self.hellos_failed.total(),
            calls_in_flight: self.running.now(),
            received_bytes: self.received.total(),
            sent_bytes: self.sent.total(),
            received_messages: self.messages_received.total(),
            sent_frames: self.frames_sent.total(),
            queued_bytes: self.queued.now(),
            methods: self.methods.iter().chain([&self.unknown]).filter_map(super::Method::statistics).collect(),
            topics,
            clients: entries.iter().map(|entry| entry.statistics(now)).collect(),
        }
    }
}
