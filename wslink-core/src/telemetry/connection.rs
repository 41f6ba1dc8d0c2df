//! One connection in the telemetry, from its handshake to its end.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{Telemetry, lock, statistics::ClientStatistics};
use crate::{Client, ClientId};

/// The events that wait for a client.
pub trait EventQueue: Send + Sync {
    /// Bytes of events that wait.
    fn bytes(&self) -> usize;

    /// Events that were ever dropped.
    fn dropped(&self) -> u64;
}

/// The telemetry of a connection. Only the connection's own task writes.
pub(super) struct Entry {
    client: Client,
    outbox: Arc<dyn EventQueue>,
    since: Duration,
    /// Who it is since its hello, which may have resumed another connection, and how it speaks.
    known: OnceLock<(ClientId, &'static str)>,
    received: AtomicU64,
    sent: AtomicU64,
    messages_received: AtomicU64,
    frames_sent: AtomicU64,
    queued: AtomicU64,
    in_flight: AtomicU64,
    /// Nanoseconds; 0 when no ping was answered.
    ping: AtomicU64,
}

/// What has passed through a connection up to now, and what waits in it.
#[derive(Clone, Copy, Default)]
pub struct Traffic {
    /// Bytes that were received.
    pub received: u64,
    /// Bytes that were sent.
    pub sent: u64,
    /// Messages that were received.
    pub messages_received: u64,
    /// Frames that were sent.
    pub frames_sent: u64,
    /// Bytes of replies and events that the socket has not taken.
    pub queued: u64,
    /// Calls that are not over.
    pub in_flight: u64,
}

impl Entry {
    pub(super) fn new(client: Client, outbox: Arc<dyn EventQueue>, since: Duration) -> Self {
        Self {
            client,
            outbox,
            since,
            known: OnceLock::new(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            messages_received: AtomicU64::new(0),
            frames_sent: AtomicU64::new(0),
            queued: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            ping: AtomicU64::new(0),
        }
    }

    pub(super) fn statistics(&self, now: Duration) -> ClientStatistics {
        let ping = self.ping.load(Ordering::Relaxed);
        let known = self.known.get();
        ClientStatistics {
            id: known.map_or(self.client.id(), |(id, _)| id).to_string(),
            address: self.client.handshake().address().map(|address| address.to_string()),
            protocol: known.map(|(_, wire)| *wire),
            age_seconds: now.saturating_sub(self.since).as_secs_f64(),
            received_bytes: self.received.load(Ordering::Relaxed),
            sent_bytes: self.sent.load(Ordering::Relaxed),
            received_messages: self.messages_received.load(Ordering::Relaxed),
            sent_frames: self.frames_sent.load(Ordering::Relaxed),
            queued_bytes: self.queued.load(Ordering::Relaxed),
            // What waits is asked for now: a client that takes nothing does not run its task.
            waiting_event_bytes: self.outbox.bytes() as u64,
            dropped_events: self.outbox.dropped(),
            calls_in_flight: self.in_flight.load(Ordering::Relaxed),
            ping_seconds: (ping > 0).then(|| Duration::from_nanos(ping).as_secs_f64()),
        }
    }
}

/// A connection that is open; it ends in the telemetry when this is dropped.
pub struct Open {
    telemetry: Arc<Telemetry>,
    number: u64,
    entry: Arc<Entry>,
    pinged: Option<Duration>,
}

impl Open {
    pub(super) const fn new(telemetry: Arc<Telemetry>, number: u64, entry: Arc<Entry>) -> Self {
        Self { telemetry, number, entry, pinged: None }
    }

    /// The client said hello.
    pub fn greeted(&self, client: &ClientId, wire: &'static str) {
        let _ = self.entry.known.set((client.clone(), wire));
    }

    /// What has happened since this was last asked goes into the telemetry.
    pub fn update(&self, traffic: Traffic) {
        let Self { telemetry, entry, .. } = self;
        telemetry.received.add(traffic.received.saturating_sub(entry.received.swap(traffic.received, Ordering::Relaxed)));
        telemetry.sent.add(traffic.sent.saturating_sub(entry.sent.swap(traffic.sent, Ordering::Relaxed)));
        let messages = entry.messages_received.swap(traffic.messages_received, Ordering::Relaxed);
        telemetry.messages_received.add(traffic.messages_received.saturating_sub(messages));
        let frames = entry.frames_sent.swap(traffic.frames_sent, Ordering::Relaxed);
        telemetry.frames_sent.add(traffic.frames_sent.saturating_sub(frames));
        let queued = entry.queued.swap(traffic.queued, Ordering::Relaxed);
        if queued != traffic.queued {
            telemetry.queued.add(traffic.queued);
            telemetry.queued.subtract(queued);
        }
        entry.in_flight.store(traffic.in_flight, Ordering::Relaxed);
    }

    /// Notes that a ping was sent, to measure the round trip.
    pub fn ping(&mut self) {
        self.pinged = Some((self.telemetry.clock)());
    }

    /// The peer answered a ping.
    pub fn pong(&mut self) {
        let Some(pinged) = self.pinged.take() else { return };
        let took = (self.telemetry.clock)().saturating_sub(pinged);
        self.telemetry.pings.record(took.as_secs_f64());
        self.entry.ping.store(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.telemetry.queued.subtract(self.entry.queued.swap(0, Ordering::Relaxed));
        self.telemetry.open.subtract(1);
        lock(&self.telemetry.connections).remove(&self.number);
    }
}
