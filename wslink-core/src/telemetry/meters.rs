//! The `metrics` facade: the only file that names it. Every metric is described here.

pub(super) use metrics::{Counter, Gauge, Histogram};
use metrics::{Label, Unit, describe_counter, describe_gauge, describe_histogram};

/// Makes meters, when they are wanted.
pub(super) struct Meters {
    on: bool,
}

impl Meters {
    pub(super) fn new(on: bool) -> Self {
        if on {
            describe();
        }
        Self { on }
    }

    pub(super) fn counter(&self, name: &'static str, labels: &[(&'static str, &str)]) -> Counter {
        if self.on { metrics::counter!(name, owned(labels)) } else { Counter::noop() }
    }

    pub(super) fn gauge(&self, name: &'static str) -> Gauge {
        if self.on { metrics::gauge!(name) } else { Gauge::noop() }
    }

    pub(super) fn histogram(&self, name: &'static str, labels: &[(&'static str, &str)]) -> Histogram {
        if self.on { metrics::histogram!(name, owned(labels)) } else { Histogram::noop() }
    }
}

fn owned(labels: &[(&'static str, &str)]) -> Vec<Label> {
    labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect()
}

fn describe() {
    describe_gauge!("wslink_connections", Unit::Count, "Connections that are open");
    describe_counter!("wslink_connections_total", Unit::Count, "Connections that were opened");
    describe_counter!("wslink_connections_closed_total", Unit::Count, "Connections that have ended, by reason");
    describe_counter!("wslink_handshakes_refused_total", Unit::Count, "Handshakes that were refused, by reason");
    describe_counter!("wslink_hellos_failed_total", Unit::Count, "Hellos that were refused");
    describe_counter!("wslink_calls_total", Unit::Count, "Calls that have ended, by method and outcome");
    describe_histogram!("wslink_call_duration_seconds", Unit::Seconds, "How long handlers took, by method");
    describe_gauge!("wslink_calls_in_flight", Unit::Count, "Calls that have begun and are not answered");
    describe_counter!("wslink_received_bytes_total", Unit::Bytes, "Bytes read from connections");
    describe_counter!("wslink_sent_bytes_total", Unit::Bytes, "Bytes that the sockets of connections took");
    describe_counter!("wslink_received_messages_total", Unit::Count, "WebSocket messages read");
    describe_counter!("wslink_sent_frames_total", Unit::Count, "WebSocket frames sent");
    describe_gauge!("wslink_queued_bytes", Unit::Bytes, "Bytes of replies and events that sockets have not taken");
    describe_counter!("wslink_events_published_total", Unit::Count, "Publications, by topic");
    describe_counter!("wslink_events_queued_total", Unit::Count, "Events queued for a client, by topic");
    describe_counter!("wslink_events_dropped_total", Unit::Count, "Events dropped from a queue, by topic and policy");
    describe_histogram!("wslink_ping_seconds", Unit::Seconds, "Round trips of answered pings");
}
