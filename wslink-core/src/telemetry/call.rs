//! One call under observation: its span while it is worked on, and its entry in the telemetry when it ends.

use std::{sync::Arc, time::Duration};

use tracing::{Span, field::Empty};

use super::{Outcome, Telemetry};
use crate::Client;

/// A method that is called.
#[derive(Clone, Copy)]
pub struct MethodRef {
    /// Its URI.
    pub uri: &'static str,
    /// Its index in the dispatch table.
    pub index: usize,
}

/// A call from its beginning to its reply. Dropped without one, it was abandoned.
pub struct Observed {
    span: Span,
    record: Option<Record>,
    ended: bool,
}

/// A call in the telemetry.
struct Record {
    telemetry: Arc<Telemetry>,
    place: usize,
    /// `None` while it waits for its turn.
    begun: Option<Duration>,
}

impl Observed {
    /// `None` when nobody wants to know: then a call costs one look at a level, and no clock.
    #[inline]
    pub fn begin(telemetry: Option<&Arc<Telemetry>>, method: MethodRef, client: &Client) -> Option<Box<Self>> {
        let uri = method.uri;
        let span = tracing::debug_span!(
            target: "wslink::call",
            "call",
            otel.name = uri,
            method = uri,
            client = %client.id(),
            outcome = Empty,
            reply_bytes = Empty,
        );
        if telemetry.is_none() && span.is_disabled() {
            return None;
        }
        let record = telemetry.map(|telemetry| Record::begin(Arc::clone(telemetry), method.index));
        Some(Box::new(Self { span, record, ended: false }))
    }

    /// A call that waits for its turn, and is only counted when it is answered before.
    pub fn waiting(telemetry: Option<&Arc<Telemetry>>, method: MethodRef) -> Option<Box<Self>> {
        let record = Record { telemetry: Arc::clone(telemetry?), place: method.index, begun: None };
        Some(Box::new(Self { span: Span::none(), record: Some(record), ended: false }))
    }

    /// The span of the call.
    pub const fn span(&self) -> &Span {
        &self.span
    }

    /// The call was answered.
    pub fn end(&mut self, outcome: Outcome, reply_bytes: usize) {
        self.span.record("reply_bytes", reply_bytes);
        self.conclude(outcome);
    }

    fn conclude(&mut self, outcome: Outcome) {
        self.ended = true;
        self.span.record("outcome", outcome.as_str());
        if let Some(record) = &self.record {
            record.end(outcome);
        }
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        if !self.ended {
            self.conclude(Outcome::Abandoned);
        }
    }
}

impl Record {
    fn begin(telemetry: Arc<Telemetry>, place: usize) -> Self {
        telemetry.running.add(1);
        telemetry.method(Some(place)).begun();
        let begun = Some((telemetry.clock)());
        Self { telemetry, place, begun }
    }

    fn end(&self, outcome: Outcome) {
        let Self { telemetry, place, begun } = self;
        match begun {
            Some(begun) => {
                let took = (telemetry.clock)().saturating_sub(*begun);
                telemetry.method(Some(*place)).ended(&telemetry.meters, outcome, took);
                telemetry.running.subtract(1);
            }
            None if outcome == Outcome::Abandoned => {}
            None => telemetry.call_refused(Some(*place), outcome),
        }
    }
}
