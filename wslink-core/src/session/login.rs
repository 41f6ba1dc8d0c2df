//! The login of a client at the accepting end: its hello, the authenticator, the `#[connected]` hooks, and the answer.

use std::{any::Any, sync::Arc, time::Instant};

use super::{
    Event, Extensions, Link,
    hello::{self, AnnouncedLimits, Resumption, Welcome, milliseconds},
    server::{ServerSide, Verdict, answer},
    subscriptions::Subscriptions,
};
use crate::{
    CallError, Disconnect, ErrorCode, LoginRequest, Value,
    identity::Authenticating,
    lifecycle::Visit,
    rpc,
    topic::{Companion, Interest, Resume, Resumed, Topics},
    wire::{Incoming, MessageId, Protocol, Span, Violation},
};

/// A hello that is being answered.
pub(super) struct Greeting {
    protocol: &'static dyn Protocol,
    id: MessageId,
    extensions: Extensions,
    resume: Option<Resume>,
}

/// The visit of a client, and by which of its connections it is here.
pub(super) struct Attendance {
    pub(super) visit: Arc<Visit>,
    pub(super) connection: u64,
}

impl ServerSide {
    /// Has the authenticator answer a hello.
    pub(super) fn hello(
        &mut self,
        link: &mut Link,
        protocol: &'static dyn Protocol,
        now: Instant,
        id: &MessageId,
        incoming: &mut Incoming,
    ) {
        let limits = &self.shared.limits;
        if self.failures >= limits.hello_failures {
            return link.violation(Violation::policy("too many failed hellos"));
        }
        // After a good hello messages may be larger, but not this one.
        let fits = |hello: &Span| hello.range().len() <= limits.hello_bytes;
        let hello = incoming.arguments.positional.first().is_some_and(fits).then(|| incoming.first()).flatten();
        let hello: Value = hello.unwrap_or_default();
        let offered = Extensions::offered(!limits.resume_window.is_zero(), self.shared.manifest.is_some());
        let extensions = Extensions::negotiate(hello::listed(&hello), offered);
        let resume = if extensions.resume { hello::resume(&hello) } else { None };
        let attempt = LoginRequest::new(self.client.clone(), hello);
        self.greeting = Some(Box::new(Greeting { protocol, id: id.clone(), extensions, resume }));
        link.liveness.greeting(now);
        link.events.push_back(Event::Authenticate(Authenticating::new(Arc::clone(&self.shared.authenticator), attempt)));
    }

    /// Answers the hello. A good one opens the connection, or changes its principal; a failed one after a good one
    /// changes nothing.
    pub(super) fn authenticated(&mut self, link: &mut Link, now: Instant, verdict: Result<Verdict, Violation>) {
        let Some(greeting) = self.greeting.take() else { return };
        let principal = match verdict {
            Ok(Ok(principal)) => principal,
            Ok(Err(rejection)) => {
                tracing::info!(client = %self.client.id(), reason = rejection.reason(), "rejected a hello");
                let error = if rejection.is_temporary() {
                    CallError::new(ErrorCode::Unavailable, "Authentication is temporarily unavailable")
                } else {
                    CallError::new(ErrorCode::Authentication, "Authentication failed")
                };
                // What the server could not decide is not the client's failure.
                self.failures += u32::from(!rejection.is_temporary());
                return self.reject(link, &greeting, &error);
            }
            Err(violation) => return link.violation(violation),
        };
        self.client.become_principal(principal);
        if self.authenticated {
            self.begin_lifetime(link, now);
            self.shared.hub.renew(&self.client, &self.outbox);
            self.end_forbidden(link, greeting.protocol);
            if let Some(Attendance { visit, .. }) = &self.visit {
                visit.set_client(self.client.clone());
            }
            return self.welcome_client(link, &greeting, None);
        }
        let resumed = greeting.resume.as_ref();
        let resumed = resumed.and_then(|resume| self.shared.hub.resume(resume, &self.client, greeting.protocol, &self.outbox));
        if let Some(hooks) = self.shared.hooks.as_ref().filter(|_| resumed.is_none()) {
            let visit = Arc::new(Visit::new(Arc::clone(hooks), self.client.clone()));
            link.events.push_back(Event::Admit(visit.admit()));
            self.visit = Some(Attendance { visit, connection: 0 });
            self.greeting = Some(greeting);
            return;
        }
        self.enter(link, now, &greeting, resumed);
    }

    /// The services have heard of the client, and may have refused it.
    pub(super) fn admitted(&mut self, link: &mut Link, now: Instant, answer: Result<(), CallError>) {
        let Some(greeting) = self.greeting.take() else { return };
        let Err(error) = answer else { return self.enter(link, now, &greeting, None) };
        tracing::info!(client = %self.client.id(), code = error.code().number(), "a hook refused a client");
        if let Some(Attendance { visit, .. }) = self.visit.take() {
            visit.end_with(Disconnect::Kicked(error.message().to_owned().into()));
        }
        self.failures += 1;
        self.reject(link, &greeting, &error);
    }

    fn reject(&self, link: &mut Link, Greeting { protocol, id, .. }: &Greeting, error: &CallError) {
        if let Some(telemetry) = &self.shared.telemetry {
            telemetry.hello_failed();
        }
        link.queue.reply(rpc::refusal(*protocol, id, error));
        if self.authenticated {
            link.liveness.greeted();
        }
    }

    /// The principal is good from now on, for as long as the authenticator said.
    fn begin_lifetime(&mut self, link: &mut Link, now: Instant) {
        let lifetime = self.client.principal().lifetime();
        link.liveness.good_for(lifetime, now);
        link.liveness.greeted();
        // A hello that is good for no time is not good for what has come with it.
        self.expired = lifetime.is_some_and(|lifetime| lifetime.is_zero());
    }

    /// Opens the connection, as that of a client that was lost where it has `resumed`.
    fn enter(&mut self, link: &mut Link, now: Instant, greeting: &Greeting, resumed: Option<Resumed>) {
        let Greeting { protocol, extensions, .. } = *greeting;
        self.authenticated = true;
        // Not before: they let the client ask for more than an unauthenticated one may.
        self.extensions = extensions;
        self.begin_lifetime(link, now);
        link.events.push_back(Event::Authenticated);
        if let Some(speaking) = &mut link.speaking {
            speaking.decoder.authenticated();
        }
        tracing::debug!(client = %self.client.id(), protocol = protocol.name(), ?extensions, resumed = resumed.is_some(), "said hello");
        let resumption = match resumed {
            Some(resumed) => Some(self.resume(resumed)),
            None => {
                self.join(protocol);
                None
            }
        };
        self.unconfirmed = extensions.resume;
        if let Some(open) = &self.open {
            open.greeted(self.client.id(), protocol.name());
        }
        self.welcome_client(link, greeting, resumption);
    }

    fn join(&self, protocol: &'static dyn Protocol) {
        let interest = if self.extensions.subscribe { Interest::Topics(Topics::default()) } else { Interest::Everything };
        let receives_all = matches!(interest, Interest::Everything);
        let visit = self.visit.as_ref().map(|attendance| &attendance.visit);
        let companion = visit.map(|visit| Arc::clone(visit) as Arc<dyn Companion>);
        self.shared.hub.join(self.client.clone(), protocol, Arc::clone(&self.outbox), interest, companion);
        if let Some(visit) = visit.filter(|_| receives_all) {
            let seen = visit.topics().filter(|topic| self.shared.hub.admit(&self.client, topic).is_ok());
            seen.for_each(|topic| visit.subscribed(topic));
        }
    }

    fn resume(&mut self, Resumed { client, kept, missed, companion }: Resumed) -> Resumption {
        self.client = client;
        let visit = companion.and_then(|companion| (companion as Arc<dyn Any + Send + Sync>).downcast::<Visit>().ok());
        self.visit = visit.map(|visit| {
            let connection = visit.resumed(self.client.clone(), kept.iter().map(|(_, topic)| &**topic));
            Attendance { visit, connection }
        });
        self.subscriptions = Subscriptions::kept(&kept);
        Resumption { missed: missed.into_iter().collect(), kept: kept.into_iter().map(|(number, _)| number).collect() }
    }

    fn welcome_client(&self, link: &mut Link, Greeting { protocol, id, resume, .. }: &Greeting, resumed: Option<Resumption>) {
        let resumed = resume.as_ref().map(|_| resumed);
        let welcome = Welcome { resumed, ..self.welcome(*protocol) };
        link.queue.reply(answer(*protocol, id, &welcome));
    }

    /// The result of a good hello; a client of the original protocol receives nothing new.
    fn welcome(&self, protocol: &dyn Protocol) -> Welcome {
        let limits = &self.shared.limits;
        let negotiated = self.extensions.any();
        Welcome {
            resume: self.extensions.resume.then(|| self.shared.hub.allow_resume(&self.client, &self.outbox, limits)).flatten(),
            resumed: None,
            client_id: self.client.id().to_string(),
            max_frame: protocol.announces_max_message().then(|| self.max_frame()),
            extensions: negotiated.then(|| self.extensions.names().into_iter().map(str::to_owned).collect()),
            expires_in_ms: self.client.principal().lifetime().filter(|_| self.extensions.refresh).map(milliseconds),
            limits: negotiated.then(|| AnnouncedLimits {
                // Without chunks, a frame is as large as the message in it.
                frame_bytes: Some(if protocol.announces_max_message() { limits.announced_chunk() } else { limits.frame_bytes }),
                message_bytes: Some(limits.message_bytes),
                calls_in_flight: Some(limits.calls_in_flight),
            }),
        }
    }

    /// What the client is told as `maxMsgSize`. Clients of the original in Python take it for the largest message that
    /// they will receive; those in browsers, which have an origin, cut what they send by it.
    fn max_frame(&self) -> usize {
        let limits = &self.shared.limits;
        let is_browser = self.client.handshake().origin().is_some();
        if is_browser { limits.announced_chunk() } else { limits.announced_frame() }
    }
}
