//! What a call may come to: one outcome, which agrees with what was executed.

use wslink_core::{CallError, ErrorCode, wire::Body};

use super::{
    env::Env,
    ledger::Facts,
    link::Ms,
    service::{Answer, FAILURE, METHOD_LIMIT, METHODS, Task},
};

/// A call, as the client that made it knows it.
pub(crate) struct Call {
    pub(crate) task: Task,
    pub(crate) method: usize,
    pub(crate) timeout: Option<Ms>,
    /// Bytes of its attachment.
    pub(crate) uploads: usize,
    /// The next report of progress.
    reported: u32,
    pub(crate) outcome: Option<Outcome>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    Result,
    Error(ErrorCode),
    /// Nobody waits for it any more.
    Cancelled,
    /// The connection was lost; the server may have executed it, or not.
    Lost {
        maybe_executed: bool,
    },
    /// It was too large to be sent.
    TooLarge,
}

impl Call {
    pub(crate) const fn new(task: Task, method: usize, timeout: Option<Ms>, uploads: usize) -> Self {
        Self { task, method, timeout, uploads, reported: 0, outcome: None }
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        let id = self.task.id;
        assert_eq!(self.outcome, None, "call {id} ends a second time: {outcome:?}");
        self.outcome = Some(outcome);
    }

    pub(crate) fn progress(&mut self, body: &Body) {
        let Task { id, reports, .. } = self.task;
        let report: u32 = body.decode().unwrap();
        assert_eq!(self.outcome, None, "call {id} reports progress after its end");
        // Newer reports replace older ones.
        assert!((self.reported..reports).contains(&report), "report {report} of call {id} is not the next of {reports}");
        self.reported = report + 1;
    }

    /// How long it may take, as far as the server knows.
    fn limit(&self) -> Option<Ms> {
        let of_method = METHODS[self.method].0.ends_with("limited").then_some(METHOD_LIMIT);
        [self.timeout, of_method].into_iter().flatten().min()
    }

    /// Whether the outcome agrees with what the server executed.
    pub(crate) fn check(&self, facts: &Facts) {
        let execution = facts.execution(self.task.id);
        let (id, begun) = (self.task.id, execution.begun);
        let outcome = self.outcome.unwrap_or_else(|| panic!("call {id} has no outcome"));
        assert!(begun <= 1, "call {id} was executed {begun} times");
        let executed = match outcome {
            Outcome::Result | Outcome::Error(ErrorCode::Application(FAILURE)) => Some(true),
            Outcome::Error(ErrorCode::DeadlineExceeded) | Outcome::Cancelled | Outcome::Lost { maybe_executed: true } => None,
            Outcome::Error(_) | Outcome::Lost { maybe_executed: false } | Outcome::TooLarge => Some(false),
        };
        if let Some(executed) = executed {
            assert_eq!(begun == 1, executed, "call {id} ended with {outcome:?}; was it executed?");
        }
    }
}

/// The server answers call `id`.
pub(crate) fn answered(env: &mut Env, id: u32, answer: Result<Body, CallError>) {
    let facts = env.ledger.facts();
    let call = &mut env.calls[id as usize];
    let outcome = match answer {
        Ok(body) => {
            let answer: Answer = body.decode().unwrap_or_else(|why| panic!("the result of call {id} is none: {why}"));
            assert_eq!((answer.id, answer.again, answer.received), (id, id, call.uploads), "the result is that of another call");
            assert_eq!(answer.blob.len(), call.task.bytes, "bytes of the result of call {id}");
            assert!(!call.task.fails, "call {id} was to fail");
            Outcome::Result
        }
        Err(error) => {
            let is_possible = match error.code() {
                ErrorCode::Application(FAILURE) => call.task.fails,
                ErrorCode::DeadlineExceeded => call.limit().is_some(),
                ErrorCode::Overloaded => env.setup.limits.calls_in_flight < 100,
                // Clients without extensions are not told how large their messages may be.
                ErrorCode::TooLarge => env.setup.limits.message_bytes < 100_000,
                ErrorCode::Forbidden => METHODS[call.method].0 == "free.insider",
                ErrorCode::Authentication => env.setup.lifetime.is_some(),
                _ => false,
            };
            assert!(is_possible, "call {id} cannot end with {error:?}");
            Outcome::Error(error.code())
        }
    };
    if matches!(outcome, Outcome::Result | Outcome::Error(ErrorCode::Application(FAILURE))) {
        let execution = facts.execution(id);
        let finished = execution.finished_at.unwrap_or_else(|| panic!("call {id} is answered and was not executed"));
        let took = finished - execution.begun_at;
        if let Some(limit) = call.limit() {
            assert!(took <= limit, "call {id} took {took} ms of {limit} and was not late");
        }
    }
    call.end(outcome);
    call.check(&facts);
}
