//! One connection, without its socket: frames in, replies and calls out.
//!
//! Connected → (first frame decides the generation) → greeting → (good hello) → open. Closing is the
//! driver's business; this only says when the peer's fault ends the connection.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

#[cfg(feature = "server")]
pub(crate) use self::egress::Egress;
use crate::{
    CallError, Client, ClientId, ErrorCode, Limits, Publisher, Secret, Value,
    rpc::{self, BlockingCall, Caller, Dispatched, PendingCall, Routes},
    topic::{Hub, Outbox},
    wire::{self, Content, Decoder, Encoded, FrameKind, Outgoing, Request, RequestId, Subject, Violation, WireVersion},
};

mod egress;

/// What all connections of a server share.
pub(crate) struct Shared {
    pub(crate) routes: Routes,
    pub(crate) hub: Arc<Hub>,
    pub(crate) publisher: Publisher,
    pub(crate) limits: Limits,
    pub(crate) secret: Secret,
    pub(crate) expose_details: bool,
}

/// The server's side of one socket.
pub(crate) struct Connection {
    shared: Arc<Shared>,
    client: Client,
    outbox: Arc<Outbox>,
    speaking: Option<Speaking>,
    authenticated: bool,
    failures: u32,
}

/// The generation of the protocol that the peer chose with its first frame.
struct Speaking {
    wire: &'static dyn WireVersion,
    decoder: Box<dyn Decoder>,
}

/// What a frame led to.
pub(crate) enum Step {
    /// Nothing yet, or nothing ever.
    None,
    Reply(Encoded),
    Pending(PendingCall),
    Blocking(BlockingCall),
}

impl Connection {
    pub(crate) fn new(shared: Arc<Shared>) -> Result<Self, getrandom::Error> {
        let outbox = Arc::new(Outbox::new(shared.limits.outbox_bytes));
        let client = Client::new(ClientId::random()?);
        Ok(Self { shared, client, outbox, speaking: None, authenticated: false, failures: 0 })
    }

    pub(crate) const fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    pub(crate) const fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// How many incoming messages have begun and are not complete.
    pub(crate) fn incomplete(&self) -> usize {
        self.speaking.as_ref().map_or(0, |speaking| speaking.decoder.incomplete())
    }

    /// Takes the next data frame. With `room` for no further call, calls are refused.
    pub(crate) fn receive(&mut self, kind: FrameKind, payload: Bytes, room: bool) -> Result<Step, Violation> {
        let speaking = self.speaking.get_or_insert_with(|| {
            let wire = wire::detect(kind);
            Speaking { wire, decoder: wire.decoder(&self.shared.limits) }
        });
        let wire = speaking.wire;
        let Some(mut request) = speaking.decoder.decode(kind, payload)? else { return Ok(Step::None) };
        let Some(id) = request.id.take() else { return Ok(Step::None) };
        if request.system {
            return self.system(wire, &id, request);
        }
        let refuse = |code, message, data| {
            let error = CallError::new(code, message);
            Ok(Step::Reply(rpc::refusal(
                wire,
                &id,
                &match data {
                    Some(data) => error.with_data(data),
                    None => error,
                },
            )))
        };
        if !self.authenticated {
            return refuse(ErrorCode::Authentication, "Unauthorized: Skip message processing", None);
        }
        if !room {
            let limit = self.shared.limits.calls_in_flight;
            return refuse(ErrorCode::Overloaded, "Too many calls in flight", Some(Value::map([("limit", limit)])));
        }
        let caller =
            Caller { client: &self.client, publisher: &self.shared.publisher, wire, expose_details: self.shared.expose_details };
        Ok(match rpc::dispatch(&self.shared.routes, &caller, &id, request) {
            Dispatched::Done(reply) => Step::Reply(reply),
            Dispatched::Pending(call) => Step::Pending(call),
            Dispatched::Blocking(call) => Step::Blocking(call),
        })
    }

    fn system(&mut self, wire: &'static dyn WireVersion, id: &RequestId, request: Request) -> Result<Step, Violation> {
        match request.method.as_deref() {
            Some("wslink.hello") => self.hello(wire, id, request),
            _ => {
                let error = CallError::new(ErrorCode::MethodNotFound, "Unknown system method called");
                Ok(Step::Reply(rpc::refusal(wire, id, &error)))
            }
        }
    }

    /// A good hello opens the connection; a bad one after a good one changes nothing.
    fn hello(&mut self, wire: &'static dyn WireVersion, id: &RequestId, request: Request) -> Result<Step, Violation> {
        let mut arguments = request.arguments;
        let hello: Option<Value> = arguments.positional.first().copied().and_then(|span| arguments.value(span).ok());
        let secret = hello.as_ref().and_then(|hello| hello.get("secret")?.as_str());
        if !secret.is_some_and(|secret| self.shared.secret.admits(secret)) {
            self.failures += 1;
            if self.failures > self.shared.limits.hello_failures {
                return Err(Violation::policy("too many failed hellos"));
            }
            let error = CallError::new(ErrorCode::Authentication, "Authentication failed");
            return Ok(Step::Reply(rpc::refusal(wire, id, &error)));
        }
        if !std::mem::replace(&mut self.authenticated, true) {
            if let Some(speaking) = &mut self.speaking {
                speaking.decoder.authenticated();
            }
            self.shared.hub.join(self.client.id().clone(), wire, Arc::clone(&self.outbox));
            tracing::debug!(client = %self.client.id(), wire = wire.name(), "said hello");
        }
        let welcome = Welcome {
            client_id: self.client.id().as_str(),
            max_message: wire.announces_max_message().then_some(self.shared.limits.announced_frame()),
        };
        let outgoing = Outgoing { subject: Subject::Reply(id), content: Content::Result(&welcome) };
        Ok(Step::Reply(wire.encode(&outgoing).unwrap_or_else(|_| Encoded::nothing())))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.authenticated {
            self.shared.hub.leave(self.client.id());
        }
    }
}

#[derive(Serialize)]
struct Welcome<'a> {
    #[serde(rename = "clientID")]
    client_id: &'a str,
    #[serde(rename = "maxMsgSize", skip_serializing_if = "Option::is_none")]
    max_message: Option<usize>,
}
