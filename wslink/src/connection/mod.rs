//! One connection, without its socket: frames in, replies and calls out.
//!
//! Connected → (first frame decides the generation) → greeting → (good hello) → open. Closing is the
//! driver's business; this only says when the peer's fault ends the connection.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;

pub use self::handshake::Handshake;
#[cfg(feature = "server")]
pub(crate) use self::hello::Greeted;
#[cfg(feature = "server")]
pub(crate) use self::{egress::Egress, feed::Fed};
use self::{extensions::Extensions, subscriptions::Subscriptions};
pub(crate) use self::{feed::Feed, hello::Greeting};
use crate::{
    Authenticator, CallError, Client, ClientId, ErrorCode, Limits, Principal, Publisher, Value,
    observe::{Account, Open},
    rpc::{self, ArgumentError, BlockingCall, Caller, Control, Dispatched, Lane, PendingCall, Route, Routes},
    topic::{Departed, Hub, Outbox},
    wire::{self, Content, Decoded, Decoder, Encoded, FrameKind, Outgoing, Request, RequestId, Subject, Violation, WireVersion},
};

mod egress;
mod extensions;
mod feed;
mod handshake;
mod hello;
mod subscriptions;

/// What all connections of a server share.
pub(crate) struct Shared {
    pub(crate) routes: Routes,
    pub(crate) hub: Arc<Hub>,
    pub(crate) publisher: Publisher,
    pub(crate) limits: Limits,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) expose_details: bool,
    /// What the server offers, when clients may ask for it.
    pub(crate) manifest: Option<Value>,
    /// When somebody wants to know what happens.
    pub(crate) account: Option<Arc<Account>>,
}

/// The server's side of one socket.
pub(crate) struct Connection {
    shared: Arc<Shared>,
    client: Client,
    outbox: Arc<Outbox>,
    account: Option<Open>,
    speaking: Option<Speaking>,
    authenticated: bool,
    /// The principal is not good for further calls.
    expired: bool,
    failures: u32,
    extensions: Extensions,
    subscriptions: Subscriptions,
    /// Whether the client may not know its first hello's answer yet.
    unconfirmed: bool,
}

/// The generation of the protocol that the peer chose with its first frame.
struct Speaking {
    wire: &'static dyn WireVersion,
    decoder: Box<dyn Decoder>,
}

/// What a frame led to. What is rare is in a box, so that replies are moved cheaply.
pub(crate) enum Step {
    /// Nothing yet, or nothing ever.
    None,
    Reply(Encoded),
    /// To be polled, and its answer given to [`Connection::greeted`] before anything else is received.
    Greeting(Box<Greeting>),
    /// To be begun by [`Connection::begin`] when no other of its lane runs.
    Ordered(Box<Ordered>),
    Pending(Box<PendingCall>),
    Detached(Box<PendingCall>, Box<Control>),
    Blocking(Box<BlockingCall>, Box<Control>),
    /// Cancel the call that the client knows by this id, and answer whether there was one.
    Cancel(String, Box<Answer>),
    /// Answer, and from now on send these events.
    Subscribed(Encoded, Box<Feed>),
}

/// A call of a service that takes one at a time from each connection.
pub(crate) struct Ordered {
    pub(crate) lane: Lane,
    wire: &'static dyn WireVersion,
    id: RequestId,
    request: Request,
}

/// What answers a system call whose result is a truth value.
pub(crate) struct Answer {
    wire: &'static dyn WireVersion,
    id: RequestId,
}

impl Answer {
    pub(crate) fn with(self, result: bool) -> Encoded {
        answer(self.wire, &self.id, &result)
    }
}

impl Connection {
    pub(crate) fn new(shared: Arc<Shared>, handshake: Handshake) -> Result<Self, getrandom::Error> {
        let outbox = Arc::new(Outbox::new(shared.limits.outbox_bytes));
        let client = Client::new(ClientId::random()?, handshake, Principal::default());
        let account = shared.account.as_ref().map(|account| account.connected(&client, &outbox));
        Ok(Self {
            client,
            outbox,
            account,
            speaking: None,
            authenticated: false,
            expired: false,
            failures: 0,
            extensions: Extensions::default(),
            subscriptions: Subscriptions::default(),
            unconfirmed: false,
            shared,
        })
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Where it stands in the account of the server, if that is kept.
    pub(crate) const fn account(&mut self) -> Option<&mut Open> {
        self.account.as_mut()
    }

    pub(crate) const fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    pub(crate) const fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// How many incoming messages have begun and are not complete, and their bytes.
    pub(crate) fn incomplete(&self) -> (usize, usize) {
        self.speaking.as_ref().map_or((0, 0), |speaking| speaking.decoder.incomplete())
    }

    /// The peer is lost, and not because of anything it did: remembers its client, if it may come back.
    pub(crate) fn depart(&mut self) -> Departed {
        let Shared { hub, limits, .. } = &*self.shared;
        let departed = hub.depart(self.client.id(), &self.outbox, limits);
        // Whoever is remembered has not left.
        self.authenticated &= departed == Departed::Forgotten;
        departed
    }

    /// Gives back memory that is only kept to be faster.
    pub(crate) fn rest(&mut self) {
        if let Some(speaking) = &mut self.speaking {
            speaking.decoder.rest();
        }
    }

    /// Takes the next data frame, while `running` calls run or wait for their turn.
    pub(crate) fn receive(&mut self, kind: FrameKind, payload: Bytes, running: usize) -> Result<Step, Violation> {
        let speaking = self.speaking.get_or_insert_with(|| {
            let wire = wire::detect(kind);
            Speaking { wire, decoder: wire.decoder(&self.shared.limits) }
        });
        let wire = speaking.wire;
        if std::mem::take(&mut self.unconfirmed) {
            self.shared.hub.confirm(self.client.id(), &self.outbox);
        }
        let mut request = speaking.decoder.blank();
        match speaking.decoder.decode(kind, payload, &mut request)? {
            Decoded::Nothing => return Ok(Step::None),
            Decoded::Request => {}
            Decoded::TooLarge { id, limit, got } => return Ok(Step::Reply(rpc::refusal(wire, &id, &too_large(limit, got)))),
        }
        let Some(id) = request.id.take() else { return Ok(Step::None) };
        if request.system {
            let step = self.system(wire, &id, &mut request)?;
            return Ok(step.unwrap_or_else(|error| Step::Reply(rpc::refusal(wire, &id, &error))));
        }
        if !self.extensions.deadline {
            request.timeout = None;
        }
        Ok(match self.admit(&request, running) {
            Err(error) => Step::Reply(rpc::refusal(wire, &id, &self.refused(&request, error))),
            Ok(route) => match route.lane() {
                Some(lane) => Step::Ordered(Box::new(Ordered { lane, wire, id, request })),
                None => self.dispatch(route, wire, id, &mut request),
            },
        })
    }

    /// Where a call leads, if it may be begun.
    fn admit(&self, request: &Request, running: usize) -> Result<&Route, CallError> {
        if !self.authenticated {
            return Err(CallError::new(ErrorCode::Authentication, "Unauthorized: Skip message processing"));
        }
        self.unexpired()?;
        let limit = self.shared.limits.calls_in_flight;
        if running >= limit {
            let error = CallError::new(ErrorCode::Overloaded, "Too many calls in flight");
            return Err(error.with_data(Value::map([("limit", limit)])));
        }
        let uri = request.method().ok_or_else(|| CallError::new(ErrorCode::InvalidRequest, "Invalid request"))?;
        self.shared.routes.find(uri).ok_or_else(|| unregistered(uri))
    }

    /// From now on calls are refused, until a good hello.
    pub(crate) const fn expire(&mut self) {
        self.expired = true;
    }

    fn unexpired(&self) -> Result<(), CallError> {
        if self.expired { Err(CallError::new(ErrorCode::Authentication, "Authentication expired")) } else { Ok(()) }
    }

    /// The same error, counted.
    fn refused(&self, request: &Request, error: CallError) -> CallError {
        if let Some(account) = &self.shared.account {
            let route = request.method().and_then(|uri| self.shared.routes.find(uri));
            account.call_refused(route.map(|route| route.place), error.code().into());
        }
        tracing::debug!(client = %self.client.id(), code = error.code().number(), "refused a call");
        error
    }

    fn dispatch(&self, route: &Route, wire: &'static dyn WireVersion, id: RequestId, request: &mut Request) -> Step {
        match rpc::dispatch(route, &self.caller(wire), id, request) {
            Dispatched::Done(reply) => Step::Reply(reply),
            Dispatched::Pending(call) => Step::Pending(call),
            Dispatched::Detached(call, control) => Step::Detached(call, control),
            Dispatched::Blocking(call, control) => Step::Blocking(call, control),
        }
    }

    /// What can be done about a call that has to wait for its turn.
    pub(crate) fn control(&self, call: &Ordered) -> Option<Box<Control>> {
        let route = self.shared.routes.find(call.request.method()?)?;
        Some(rpc::control(route, &self.caller(call.wire), &call.id, call.request.timeout))
    }

    /// Begins a call whose turn it is.
    pub(crate) fn begin(&self, call: Ordered) -> Step {
        let Ordered { wire, id, mut request, .. } = call;
        let route = request.method().and_then(|uri| self.shared.routes.find(uri));
        route.map_or(Step::None, |route| self.dispatch(route, wire, id, &mut request))
    }

    fn caller(&self, wire: &'static dyn WireVersion) -> Caller<'_> {
        Caller {
            client: &self.client,
            publisher: &self.shared.publisher,
            wire,
            expose_details: self.shared.expose_details,
            may_cancel: self.extensions.cancel,
            progress: self.extensions.progress.then_some(&self.outbox),
            account: self.shared.account.as_ref(),
        }
    }

    /// What the protocol itself is asked to do.
    fn system(
        &mut self,
        wire: &'static dyn WireVersion,
        id: &RequestId,
        request: &mut Request,
    ) -> Result<Result<Step, CallError>, Violation> {
        Ok(match request.method() {
            Some(b"wslink.hello") => return self.hello(wire, id, request).map(Ok),
            Some(b"wslink.subscribe") if self.extensions.subscribe => self.subscribe(wire, id, request),
            Some(b"wslink.unsubscribe") if self.extensions.subscribe => self.unsubscribe(wire, id, request),
            Some(b"wslink.cancel") if self.extensions.cancel => first(request)
                .map(|call| Step::Cancel(call, Box::new(Answer { wire, id: id.clone() })))
                .ok_or_else(|| misused("wslink.cancel", "the id of a call")),
            Some(b"wslink.manifest") if self.extensions.manifest => Ok(Step::Reply(answer(wire, id, &self.shared.manifest))),
            _ => Err(CallError::new(ErrorCode::MethodNotFound, "Unknown system method called")),
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.authenticated {
            self.shared.hub.leave(self.client.id(), &self.outbox);
        }
    }
}

fn answer(wire: &dyn WireVersion, id: &RequestId, result: &dyn erased_serde::Serialize) -> Encoded {
    let outgoing = Outgoing { subject: Subject::Reply(id), content: Content::Result(result) };
    wire.encode(&outgoing).unwrap_or_else(|_| Encoded::nothing())
}

/// The first argument, when it is there and fits.
fn first<T: DeserializeOwned>(request: &mut Request) -> Option<T> {
    let span = request.arguments.positional.first().copied()?;
    request.arguments.value(span).ok()
}

fn too_large(limit: usize, got: usize) -> CallError {
    CallError::new(ErrorCode::TooLarge, "Message too large").with_data(Value::map([("limit", limit), ("got", got)]))
}

fn unregistered(uri: &[u8]) -> CallError {
    // Not more of it than shows what was meant.
    let shown: String = String::from_utf8_lossy(&uri[..uri.len().min(800)]).chars().take(200).collect();
    CallError::new(ErrorCode::MethodNotFound, "Unregistered method called").with_data(shown)
}

fn misused(method: &'static str, expected: &'static str) -> CallError {
    ArgumentError::new(None, expected, "nothing of the kind".to_owned()).into_call_error(method)
}
