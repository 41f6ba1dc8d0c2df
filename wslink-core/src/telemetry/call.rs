//! One call under observation: its span while it is worked on, and its line in the account when it ends.

use std::{sync::Arc, time::Duration};

use tracing::{Span, field::Empty};

use super::{Account, Outcome};
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

/// A call in the account.
struct Record {
    account: Arc<Account>,
    place: usize,
    /// `None` while it waits for its turn.
    begun: Option<Duration>,
}

impl Observed {
    /// `None` when nobody wants to know: then a call costs one look at a level, and no clock.
    #[inline]
    pub fn begin(account: Option<&Arc<Account>>, method: MethodRef, client: &Client) -> Option<Box<Self>> {
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
        if account.is_none() && span.is_disabled() {
            return None;
        }
        let record = account.map(|account| Record::begin(Arc::clone(account), method.index));
        Some(Box::new(Self { span, record, ended: false }))
    }

    /// A call that waits for its turn, and is only counted when it is answered before.
    pub fn waiting(account: Option<&Arc<Account>>, method: MethodRef) -> Option<Box<Self>> {
        let record = Record { account: Arc::clone(account?), place: method.index, begun: None };
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
    fn begin(account: Arc<Account>, place: usize) -> Self {
        account.running.add(1);
        account.method(Some(place)).begun();
        let begun = Some((account.clock)());
        Self { account, place, begun }
    }

    fn end(&self, outcome: Outcome) {
        let Self { account, place, begun } = self;
        match begun {
            Some(begun) => {
                let took = (account.clock)().saturating_sub(*begun);
                account.method(Some(*place)).ended(&account.meters, outcome, took);
                account.running.subtract(1);
            }
            None if outcome == Outcome::Abandoned => {}
            None => account.call_refused(Some(*place), outcome),
        }
    }
}
