//! The accepting end of a session: dispatches the requests of the client, and keeps its calls within their limits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
    time::{Duration, Instant},
};

use super::{
    CallKey, Close, Event, Extensions, Link, SendQueue, Session, Side, Speaking, Traffic,
    calls::{Begin, Calls},
    liveness::{Liveness, earlier},
    login::{Attendance, Greeting},
    subscriptions::Subscriptions,
};
use crate::{
    Authenticator, CallError, Client, ClientId, Disconnect, ErrorCode, Handshake, Limits, Principal, Publisher, Rejection, Value,
    lifecycle::Hooks,
    rpc::{self, ArgumentError, CallContext, Control, Dispatched, Route, Routes, Work},
    telemetry::{self, Open, Telemetry},
    topic::{Disconnected, Hub, Outbox},
    wire::{Content, Encoded, FrameKind, Incoming, Message, MessageId, Outgoing, Protocol, Protocols, Subject},
};

/// The parts of a server that its sessions share.
pub struct Shared {
    /// The dispatch table.
    pub routes: Routes,
    /// The clients, as publishers see them.
    pub hub: Arc<Hub>,
    /// Publishes to all clients.
    pub publisher: Publisher,
    /// The limits of each session, and of all together.
    pub limits: Limits,
    /// Decides who is admitted.
    pub authenticator: Arc<dyn Authenticator>,
    /// Whether clients receive the text of every error.
    pub expose_details: bool,
    /// The manifest, where clients may ask for it.
    pub manifest: Option<Value>,
    /// The statistics of the server, where they are kept.
    pub telemetry: Option<Arc<Telemetry>>,
    /// The protocols that clients may speak.
    pub protocols: Protocols,
    /// The hooks of the services, where they have any.
    pub hooks: Option<Arc<Hooks>>,
    /// Bytes that peers make the server hold: requests that wait, incomplete messages, replies and events.
    pub held: AtomicUsize,
}

/// The answer of the authenticator.
pub type Verdict = Result<Principal, Rejection>;

/// How often a session looks whether the server has memory again.
const BUDGET_CHECK: Duration = Duration::from_millis(50);

/// A session that holds less than this goes on reading although the server holds too much.
const ALWAYS_HELD: usize = 256 * 1024;

pub(super) struct ServerSide {
    pub(super) shared: Arc<Shared>,
    pub(super) client: Client,
    pub(super) outbox: Arc<Outbox>,
    pub(super) open: Option<Open>,
    subprotocol: Option<Box<str>>,
    pub(super) authenticated: bool,
    /// The principal is not good for further calls.
    pub(super) expired: bool,
    pub(super) failures: u32,
    pub(super) greeting: Option<Box<Greeting>>,
    /// Where services have hooks: what they know of the client.
    pub(super) visit: Option<Attendance>,
    pub(super) extensions: Extensions,
    pub(super) subscriptions: Subscriptions,
    /// Whether the client may not know the answer to its first hello yet.
    pub(super) unconfirmed: bool,
    calls: Calls,
    stopping: bool,
    /// Bytes that count in [`Shared::held`].
    held: usize,
    /// When the session last looked whether the server has memory, where it had none.
    no_memory: Option<Instant>,
}

impl Session {
    /// The end of a server. `subprotocol` is the one that the WebSocket handshake agreed on.
    ///
    /// # Errors
    /// The operating system has no entropy for the client's id.
    pub fn server(
        shared: Arc<Shared>,
        handshake: Handshake,
        subprotocol: Option<&str>,
        now: Instant,
    ) -> Result<Self, getrandom::Error> {
        let outbox = Arc::new(Outbox::new(shared.limits.outbox_bytes));
        let client = Client::new(ClientId::random()?, handshake, Principal::default());
        let open = shared.telemetry.as_ref().map(|telemetry| telemetry.connected(&client, Arc::clone(&outbox) as _));
        let side = ServerSide {
            client,
            open,
            subprotocol: subprotocol.map(Box::from),
            authenticated: false,
            expired: false,
            failures: 0,
            greeting: None,
            visit: None,
            extensions: Extensions::default(),
            subscriptions: Subscriptions::default(),
            unconfirmed: false,
            calls: Calls::new(shared.limits.blocking_calls),
            stopping: false,
            held: 0,
            no_memory: None,
            outbox: Arc::clone(&outbox),
            shared,
        };
        let link = Link {
            speaking: None,
            queue: SendQueue::new(Some(outbox)),
            liveness: Liveness::new(&side.shared.limits, now),
            events: std::collections::VecDeque::new(),
            unwritten: 0,
            close: None,
        };
        Ok(Self { link, side: Side::Server(Box::new(side)) })
    }

    fn server_side(&self) -> Option<&ServerSide> {
        match &self.side {
            Side::Server(server) => Some(server),
            Side::Client(_) => None,
        }
    }

    /// The client of a server's session.
    #[must_use]
    pub fn client_identity(&self) -> Option<&Client> {
        self.server_side().map(|server| &server.client)
    }

    /// Whether the client of a server's session has said a good hello.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.server_side().is_some_and(|server| server.authenticated)
    }

    /// Calls that have begun or wait, and are not over.
    #[must_use]
    pub fn calls_in_flight(&self) -> usize {
        self.server_side().map_or(0, |server| server.calls.len())
    }

    /// Wakes `waker` when something is published to the client.
    #[inline]
    pub fn register(&self, waker: &Waker) {
        if let Side::Server(server) = &self.side {
            server.outbox.register(waker);
        }
    }

    /// The connection is lost, and not because of anything that the client did: remembers it, if it may come back.
    pub fn lost(&mut self) -> Disconnected {
        match &mut self.side {
            Side::Server(server) => server.lost(),
            Side::Client(_) => Disconnected::Removed,
        }
    }
}

impl ServerSide {
    pub(super) fn choose(&self, first: FrameKind) -> Option<Speaking> {
        let protocol = self.shared.protocols.choose(self.subprotocol.as_deref(), first)?;
        Some(Speaking { protocol, decoder: protocol.decoder(&self.shared.limits) })
    }

    pub(super) const fn open(&mut self) -> Option<&mut Open> {
        self.open.as_mut()
    }

    /// Notes what has passed and what waits, `incomplete` bytes of messages among it.
    pub(super) fn record_traffic(&mut self, link: &Link, traffic: Traffic, incomplete: usize) {
        let waiting = link.queue.waiting_bytes();
        let held = waiting + traffic.unwritten + traffic.partial + incomplete + self.calls.waiting_bytes();
        if held != self.held {
            self.shared.held.fetch_add(held.wrapping_sub(self.held), Ordering::Relaxed);
            self.held = held;
        }
        if let Some(open) = &self.open {
            open.update(telemetry::Traffic {
                received: traffic.read,
                sent: traffic.written,
                messages_received: traffic.messages_read,
                frames_sent: traffic.frames_sent,
                queued: (waiting + traffic.unwritten) as u64,
                in_flight: self.calls.len() as u64,
            });
        }
    }

    #[inline]
    fn takes_replies(&self, link: &Link) -> bool {
        link.queue.bytes() + link.unwritten <= self.shared.limits.reply_bytes
    }

    /// Whether the server has memory for more of this client.
    #[inline]
    fn has_memory(&self) -> bool {
        self.held <= ALWAYS_HELD || self.shared.held.load(Ordering::Relaxed) <= self.shared.limits.held_bytes
    }

    /// Whether another call may begin. Clients of the original know no limit of calls: nothing more is read from them,
    /// instead of an error that they would not expect.
    #[inline]
    fn takes_calls(&self) -> bool {
        self.calls.len() < self.shared.limits.calls_in_flight || self.extensions.any()
    }

    #[inline]
    pub(super) fn wants_frames(&self, link: &Link) -> bool {
        self.greeting.is_none()
            && self.takes_calls()
            && self.takes_replies(link)
            && self.outbox.beginnings() <= self.shared.limits.reply_bytes
            && self.calls.waiting_bytes() <= self.shared.limits.request_bytes
            && self.has_memory()
    }

    pub(super) fn wants_stream_items(&self) -> bool {
        self.outbox.bytes() < self.shared.limits.outbox_bytes.clamp(1, STREAM_AHEAD)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let memory = self.no_memory.and_then(|since| since.checked_add(BUDGET_CHECK));
        earlier(self.calls.next_deadline(), memory)
    }

    pub(super) fn timeout(&mut self, link: &mut Link, now: Instant) {
        self.no_memory = (!self.has_memory()).then_some(now);
        while let Some(late) = self.calls.late(now) {
            let error = CallError::new(ErrorCode::DeadlineExceeded, "Deadline exceeded");
            self.abort(link, late, error);
        }
        self.begin_waiting(link, now);
    }

    /// From now on calls are refused, until a good hello.
    pub(super) const fn expire(&mut self) {
        self.expired = true;
    }

    pub(super) fn stop(&mut self, link: &mut Link, now: Instant) {
        self.stopping = true;
        link.liveness.stopping(now);
        link.queue.finish_events();
        self.close_when_finished(link);
    }

    /// A server that stops closes once every call is answered and everything is sent.
    fn close_when_finished(&self, link: &mut Link) {
        if self.stopping && self.calls.unanswered() == 0 && link.queue.is_finished() && link.unwritten == 0 {
            link.close(Close::new(1001, "Server shutdown"));
        }
    }

    pub(super) fn message(
        &mut self,
        link: &mut Link,
        protocol: &'static dyn Protocol,
        now: Instant,
        message: &Message,
        incoming: &mut Incoming,
    ) {
        // A request that arrives now would be begun and not finished.
        if self.stopping {
            return;
        }
        if std::mem::take(&mut self.unconfirmed) {
            self.shared.hub.confirm(self.client.id(), &self.outbox);
        }
        let Some(id) = incoming.id.take() else { return };
        let answered = match message {
            Message::Call => return self.call(link, protocol, now, id, incoming),
            Message::Hello => return self.hello(link, protocol, now, &id, incoming),
            Message::TooLarge { limit, got } => {
                let data = Value::map([("limit", *limit), ("got", *got)]);
                Err(CallError::new(ErrorCode::TooLarge, "Message too large").with_data(data))
            }
            Message::Subscribe if self.extensions.subscribe => self.subscribe(link, protocol, &id, incoming),
            Message::Unsubscribe if self.extensions.subscribe => self.unsubscribe(link, protocol, &id, incoming),
            Message::Cancel if self.extensions.cancel => self.cancel(link, protocol, &id, incoming),
            Message::Manifest if self.extensions.manifest => Ok(answer(protocol, &id, &self.shared.manifest)),
            Message::Subscribe | Message::Unsubscribe | Message::Cancel | Message::Manifest | Message::Unknown => {
                Err(CallError::new(ErrorCode::MethodNotFound, "Unknown system method called"))
            }
            Message::Invalid | Message::Reply { .. } | Message::Event { .. } => Err(self.refused(
                None,
                match self.may_call() {
                    Ok(()) => invalid_request(),
                    Err(error) => error,
                },
            )),
        };
        let reply = answered.unwrap_or_else(|error| rpc::refusal(protocol, &id, &error));
        link.queue.reply(reply);
    }

    #[inline]
    fn call(&mut self, link: &mut Link, protocol: &'static dyn Protocol, now: Instant, id: MessageId, incoming: &mut Incoming) {
        if !self.extensions.deadline {
            incoming.timeout = None;
        }
        if let Err(error) = self.may_call().and_then(|()| self.has_room()) {
            let error = self.refused(incoming.method(), error);
            return link.queue.reply(rpc::refusal(protocol, &id, &error));
        }
        let Some(route) = incoming.method().and_then(|uri| self.shared.routes.find(uri)) else {
            let error = self.refused(incoming.method(), incoming.method().map_or_else(invalid_request, unregistered));
            return link.queue.reply(rpc::refusal(protocol, &id, &error));
        };
        if let Some(lane) = route.lane()
            && self.calls.must_wait(lane)
        {
            let control = rpc::control(route, &self.context(protocol), &id, incoming.timeout);
            let name = self.name(protocol, &id);
            let mut request = Incoming::blank(incoming.arguments.format);
            std::mem::swap(&mut request, incoming);
            request.id = Some(id);
            return self.calls.wait(lane, Box::new(request), control, name, now);
        }
        let lane = route.lane();
        match rpc::dispatch(route, &self.context(protocol), id, incoming) {
            Dispatched::Done(reply) => link.queue.reply(reply),
            Dispatched::Begun(work, control) => {
                let name = self.name(protocol, &control.reply.id);
                let key = self.calls.begin(lane, control, name, now);
                self.run(link, key, work);
            }
        }
    }

    /// The id by which the client may cancel a call.
    fn name(&self, protocol: &dyn Protocol, id: &MessageId) -> Option<String> {
        if self.extensions.cancel { protocol.id_text(id) } else { None }
    }

    fn run(&mut self, link: &mut Link, key: CallKey, work: Work) {
        let work = match work {
            Work::Blocking(handler) => match self.calls.on_thread(key, handler) {
                Some(handler) => Work::Blocking(handler),
                None => return,
            },
            work => work,
        };
        link.events.push_back(Event::Run(key, work));
    }

    /// Begins the calls that have waited, while there is room for their replies.
    pub(super) fn begin_waiting(&mut self, link: &mut Link, now: Instant) {
        while self.calls.may_begin() && self.takes_replies(link) {
            match self.calls.next_to_begin() {
                Some(Begin::Blocking(key, handler)) => link.events.push_back(Event::Run(key, Work::Blocking(handler))),
                Some(Begin::Ordered(key, request)) => self.dispatch_waiting(link, key, request),
                None => break,
            }
        }
        self.close_when_finished(link);
        let _ = now;
    }

    fn dispatch_waiting(&mut self, link: &mut Link, key: CallKey, mut request: Box<Incoming>) {
        let Some(protocol) = link.speaking.as_ref().map(|speaking| speaking.protocol) else { return };
        let route = request.method().and_then(|uri| self.shared.routes.find(uri));
        let (Some(route), Some(id)) = (route, request.id.take()) else { return };
        match rpc::dispatch(route, &self.context(protocol), id, &mut request) {
            Dispatched::Done(reply) => {
                self.calls.end(key);
                link.queue.reply(reply);
            }
            Dispatched::Begun(work, control) => {
                self.calls.resume(key, control);
                self.run(link, key, work);
            }
        }
    }

    pub(super) fn finish(&mut self, link: &mut Link, now: Instant, call: CallKey, reply: Option<Encoded>) {
        if let (Some(mut control), Some(reply)) = (self.calls.end(call), reply) {
            // The call's progress ends before its reply begins.
            control.answered(&reply);
            link.queue.reply(reply);
            if link.queue.bytes_behind_first() > self.shared.limits.held_reply_bytes {
                link.close(Close::new(1013, "too slow for its replies"));
            }
        }
        self.begin_waiting(link, now);
    }

    fn abort(&mut self, link: &mut Link, key: CallKey, error: CallError) -> bool {
        let reply = |control: &mut Control| control.reply.error(error);
        let Some((reply, runs)) = self.calls.abort(key, reply) else { return false };
        link.queue.reply(reply);
        if runs {
            link.events.push_back(Event::Abort(key));
        }
        true
    }

    fn cancel(
        &mut self,
        link: &mut Link,
        protocol: &'static dyn Protocol,
        id: &MessageId,
        incoming: &mut Incoming,
    ) -> Result<Encoded, CallError> {
        let call: String = incoming.first().ok_or_else(|| misused("wslink.cancel", "the id of a call"))?;
        let key = self.calls.find(&call);
        let reply = answer(protocol, id, &key.is_some());
        // The answer goes first, as stock clients that cancel expect nothing after the reply of their call.
        link.queue.reply(reply);
        if let Some(key) = key {
            self.abort(link, key, CallError::new(ErrorCode::Cancelled, "Cancelled"));
        }
        Ok(Encoded::nothing())
    }

    /// Whether calls and subscriptions may begin.
    #[inline]
    pub(super) fn may_call(&self) -> Result<(), CallError> {
        if !self.authenticated {
            return Err(CallError::new(ErrorCode::Authentication, "Unauthorized: Skip message processing"));
        }
        if self.expired { Err(CallError::new(ErrorCode::Authentication, "Authentication expired")) } else { Ok(()) }
    }

    #[inline]
    fn has_room(&self) -> Result<(), CallError> {
        let limit = self.shared.limits.calls_in_flight;
        if self.calls.len() < limit {
            return Ok(());
        }
        Err(CallError::new(ErrorCode::Overloaded, "Too many calls in flight").with_data(Value::map([("limit", limit)])))
    }

    /// The same error, counted.
    fn refused(&self, method: Option<&[u8]>, error: CallError) -> CallError {
        if let Some(telemetry) = &self.shared.telemetry {
            let route = method.and_then(|uri| self.shared.routes.find(uri));
            telemetry.call_refused(route.map(|route: &Route| route.index), error.code().into());
        }
        tracing::debug!(client = %self.client.id(), code = error.code().number(), "refused a call");
        error
    }

    pub(super) fn context(&self, wire: &'static dyn Protocol) -> CallContext<'_> {
        CallContext {
            client: &self.client,
            publisher: &self.shared.publisher,
            wire,
            expose_details: self.shared.expose_details,
            progress: self.extensions.progress.then_some(&self.outbox),
            telemetry: self.shared.telemetry.as_ref(),
            visit: self.visit.as_ref().map(|attendance| &attendance.visit),
        }
    }

    /// The connection is over.
    pub(super) fn ended(&self, reason: Disconnect) {
        if let Some(Attendance { visit, connection }) = &self.visit {
            visit.set_reason(*connection, reason);
        }
    }

    fn lost(&mut self) -> Disconnected {
        let Shared { hub, limits, .. } = &*self.shared;
        let state = hub.disconnected(self.client.id(), &self.outbox, limits);
        // A client that is remembered has not left.
        self.authenticated &= state == Disconnected::Removed;
        if let Some(Attendance { visit, .. }) = self.visit.as_ref().filter(|_| state != Disconnected::Removed) {
            visit.lost();
        }
        state
    }
}

/// Bytes of events that may wait before streams are asked for more.
const STREAM_AHEAD: usize = 256 * 1024;

impl Drop for ServerSide {
    fn drop(&mut self) {
        self.calls.abandon();
        self.shared.held.fetch_sub(self.held, Ordering::Relaxed);
        if self.authenticated {
            self.shared.hub.leave(self.client.id(), &self.outbox);
        }
    }
}

pub(super) fn answer(protocol: &dyn Protocol, id: &MessageId, result: &dyn erased_serde::Serialize) -> Encoded {
    let outgoing = Outgoing { subject: Subject::Reply(id), content: Content::Result(result) };
    protocol.encode(&outgoing).unwrap_or_else(|_| Encoded::nothing())
}

fn invalid_request() -> CallError {
    CallError::new(ErrorCode::InvalidRequest, "Invalid request")
}

fn unregistered(uri: &[u8]) -> CallError {
    // No more of it than shows which one was meant.
    let shown: String = String::from_utf8_lossy(&uri[..uri.len().min(800)]).chars().take(200).collect();
    CallError::new(ErrorCode::MethodNotFound, "Unregistered method called").with_data(shown)
}

pub(super) fn misused(method: &'static str, expected: &'static str) -> CallError {
    ArgumentError::new(None, expected, "nothing of the kind".to_owned()).into_call_error(method)
}
