//! The greeting: who may come in, and what both sides know of the other from then on.

use std::{
    collections::BTreeMap,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use serde::Serialize;

use super::{Connection, Extensions, Step, Subscriptions, answer, extensions::Offered, first};
use crate::{
    Attempt, Authentication, CallError, ErrorCode, Principal, Refusal, Value, rpc,
    topic::{Interest, Resume, Resumed, Topics},
    wire::{Encoded, Request, RequestId, Span, Violation, WireVersion},
};

/// A hello whose answer is being found out. Never panics.
pub(crate) struct Greeting {
    verdict: Authentication<'static>,
    hello: Hello,
}

/// A hello whose answer is known.
pub(crate) struct Greeted {
    verdict: Result<Principal, Refusal>,
    hello: Hello,
}

/// What a hello asks for beside being let in.
#[derive(Clone)]
struct Hello {
    wire: &'static dyn WireVersion,
    id: RequestId,
    extensions: Extensions,
    resume: Option<Resume>,
}

impl Future for Greeting {
    type Output = Greeted;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Greeted> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.verdict.as_mut().poll(cx))).unwrap_or_else(|_| {
            tracing::error!("the authenticator panicked");
            Poll::Ready(Err(Refusal::new("the authenticator panicked")))
        });
        polled.map(|verdict| Greeted { verdict, hello: self.hello.clone() })
    }
}

#[cfg(feature = "server")]
impl Greeted {
    /// For how long it is good, if it is good and not for ever.
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        self.verdict.as_ref().ok()?.lifetime()
    }

    pub(crate) const fn is_good(&self) -> bool {
        self.verdict.is_ok()
    }
}

impl Connection {
    /// Puts the question of a hello to the authenticator.
    pub(super) fn hello(&self, wire: &'static dyn WireVersion, id: &RequestId, request: &mut Request) -> Result<Step, Violation> {
        let limits = &self.shared.limits;
        if self.failures >= limits.hello_failures {
            return Err(Violation::policy("too many failed hellos"));
        }
        // After a good hello messages may be larger, but not this one.
        let fits = |hello: &Span| hello.range().len() <= limits.hello_bytes;
        let hello = request.arguments.positional.first().is_some_and(fits).then(|| first(request)).flatten();
        let hello: Value = hello.unwrap_or_default();
        let offered = Offered { resume: !limits.resume_window.is_zero(), manifest: self.shared.manifest.is_some() };
        let extensions = Extensions::asked_for(&hello, offered);
        let resume = if extensions.resume { resume(&hello) } else { None };
        let authenticator = Arc::clone(&self.shared.authenticator);
        let attempt = Attempt::new(self.client.clone(), hello);
        let verdict = Box::pin(async move { authenticator.authenticate(attempt).await });
        let hello = Hello { wire, id: id.clone(), extensions, resume };
        Ok(Step::Greeting(Box::new(Greeting { verdict, hello })))
    }

    /// Answers a hello. A good one opens the connection, or changes for whom it speaks; a bad one after a
    /// good one changes nothing.
    pub(crate) fn greeted(&mut self, greeted: Greeted) -> Encoded {
        let Greeted { verdict, hello: Hello { wire, id, extensions, resume } } = greeted;
        match verdict {
            Ok(principal) => {
                // One that is good for no time is not good for what has come with its hello.
                self.expired = principal.lifetime().is_some_and(|lifetime| lifetime.is_zero());
                self.client.become_principal(principal);
                let resumed = if std::mem::replace(&mut self.authenticated, true) {
                    self.shared.hub.renew(&self.client, &self.outbox);
                    self.end_forbidden(wire);
                    None
                } else {
                    let resumed = self.open(wire, extensions, resume.as_ref());
                    self.unconfirmed = extensions.resume;
                    if let Some(account) = &self.account {
                        account.greeted(self.client.id(), wire.name());
                    }
                    resumed
                };
                let welcome = Welcome { resumed: resume.map(|_| resumed), ..self.welcome(wire) };
                answer(wire, &id, &welcome)
            }
            Err(refusal) => {
                self.failures += 1;
                if let Some(account) = &self.shared.account {
                    account.hello_failed();
                }
                tracing::info!(client = %self.client.id(), reason = refusal.reason(), "refused a hello");
                rpc::refusal(wire, &id, &CallError::new(ErrorCode::Authentication, "Authentication failed"))
            }
        }
    }

    /// Opens the connection, as that of a client that was lost where there is one to resume.
    fn open(&mut self, wire: &'static dyn WireVersion, extensions: Extensions, resume: Option<&Resume>) -> Option<Goes> {
        self.extensions = extensions;
        if let Some(speaking) = &mut self.speaking {
            speaking.decoder.authenticated();
        }
        let hub = &self.shared.hub;
        let resumed = resume.and_then(|resume| hub.resume(resume, &self.client, wire, &self.outbox));
        tracing::debug!(client = %self.client.id(), wire = wire.name(), ?extensions, ?resumed, "said hello");
        let Some(Resumed { client, kept, missed }) = resumed else {
            let interest = if extensions.subscribe { Interest::Topics(Topics::default()) } else { Interest::Everything };
            hub.join(self.client.clone(), wire, Arc::clone(&self.outbox), interest);
            return None;
        };
        self.client = client;
        self.subscriptions = Subscriptions::kept(&kept);
        Some(Goes { missed: missed.into_iter().collect(), kept: kept.into_iter().map(|(number, _)| number).collect() })
    }

    /// What a client learns; one of the original protocol learns nothing new.
    fn welcome(&self, wire: &dyn WireVersion) -> Welcome<'_> {
        let limits = &self.shared.limits;
        let negotiated = self.extensions.any();
        Welcome {
            resume: self.extensions.resume.then(|| self.shared.hub.allow_resume(&self.client, &self.outbox, limits)).flatten(),
            resumed: None,
            client_id: self.client.id().as_str(),
            max_message: wire.announces_max_message().then(|| limits.best_chunk()),
            extensions: negotiated.then(|| self.extensions.names()),
            expires_in_ms: self.client.principal().lifetime().filter(|_| self.extensions.refresh).map(milliseconds),
            limits: negotiated.then(|| AnnouncedLimits {
                // Without chunks, a frame is as large as what is in it.
                frame_bytes: if wire.announces_max_message() { limits.announced_frame() } else { limits.frame_bytes },
                message_bytes: limits.message_bytes,
                calls_in_flight: limits.calls_in_flight,
            }),
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Serialize)]
struct Welcome<'a> {
    #[serde(rename = "clientID")]
    client_id: &'a str,
    #[serde(rename = "maxMsgSize", skip_serializing_if = "Option::is_none")]
    max_message: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Vec<&'static str>>,
    #[serde(rename = "expiresInMs", skip_serializing_if = "Option::is_none")]
    expires_in_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<AnnouncedLimits>,
    /// The token to resume this connection with.
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<String>,
    /// What goes on, for a client that wanted to resume.
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed: Option<Option<Goes>>,
}

/// What goes on of a connection that was lost.
#[derive(Serialize)]
struct Goes {
    missed: BTreeMap<String, u64>,
    kept: Vec<u64>,
}

/// What a hello wants to go on from.
fn resume(hello: &Value) -> Option<Resume> {
    let token = hello.get("resume")?.as_str()?.to_owned();
    let count = |value: &Value| match value {
        Value::Integer(count) => u64::try_from(*count).ok(),
        Value::Unsigned(count) => Some(*count),
        _ => None,
    };
    let received = match hello.get("received") {
        // Clients that count each topic by itself.
        Some(Value::Map(counts)) => counts.iter().filter_map(|(_, value)| count(value)).fold(0, u64::saturating_add),
        Some(total) => count(total).unwrap_or(0),
        None => 0,
    };
    Some(Resume { token, received })
}

/// What a client may send.
#[derive(Serialize)]
struct AnnouncedLimits {
    #[serde(rename = "maxMsgSize")]
    frame_bytes: usize,
    #[serde(rename = "messageBytes")]
    message_bytes: usize,
    #[serde(rename = "callsInFlight")]
    calls_in_flight: usize,
}
