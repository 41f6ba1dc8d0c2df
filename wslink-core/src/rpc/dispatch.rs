//! From a request to its handler: finds the route, binds the arguments, runs the shim.
//!
//! A handler that panics costs its own call and nothing else.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tracing::{Instrument, Span};

use super::{
    Call, Cancel, Route,
    bind::Bound,
    call::{Events, Handler, Reply, refusal},
    cancel::Cancelled,
    progress::OpenProgress,
};
use crate::{
    CallError, Client, ErrorCode, Publisher,
    telemetry::{Account, Observed},
    topic::Outbox,
    wire::{Arguments, Encoded, Request, RequestId, WireVersion},
};

/// What became of a request.
pub enum Dispatched {
    /// Answered.
    Done(Encoded),
    /// To be polled.
    Pending(Box<PendingCall>),
    /// To be polled, by nobody who may leave.
    Detached(Box<PendingCall>, Box<Control>),
    /// To be run where it may block.
    Blocking(Box<BlockingCall>, Box<Control>),
}

/// Everything a call may refer to that is not in the request.
pub struct Caller<'a> {
    pub client: &'a Client,
    pub publisher: &'a Publisher,
    pub wire: &'static dyn WireVersion,
    pub expose_details: bool,
    /// Whether the client may cancel its calls by message.
    pub may_cancel: bool,
    /// Where the client wants progress reported to.
    pub progress: Option<&'a Arc<Outbox>>,
    /// Where calls are counted, if they are.
    pub account: Option<&'a Arc<Account>>,
}

impl<'a> Caller<'a> {
    /// A call of what `route` leads to.
    fn call(&self, route: &'a Route, id: RequestId, arguments: &'a mut Arguments) -> Call<'a> {
        let method = route.method;
        Call {
            method,
            service: &route.service,
            client: self.client,
            publisher: self.publisher,
            arguments,
            bound: Bound::default(),
            reply: Reply { id, wire: self.wire, method: method.uri, expose: self.expose_details },
            cancel: None,
            outbox: self.progress,
            progress: None,
        }
    }
}

/// Runs a call of an authenticated client.
#[inline]
pub fn dispatch(route: &Route, caller: &Caller<'_>, id: RequestId, request: &mut Request) -> Dispatched {
    let asked = request.timeout;
    let observed = Observed::begin(caller.account, route, caller.client);
    let entered = observed.as_ref().map(|observed| observed.span().enter());
    let mut call = caller.call(route, id, &mut request.arguments);
    let handler = run(&mut call);
    drop(entered);
    let handler = match handler {
        Ok(Handler::Done(reply)) | Err(reply) => return done(reply, observed),
        Ok(handler) => handler,
    };
    let Call { reply, cancel, progress, .. } = call;
    let control = |reply, observed| {
        let timeout = timeout(route, asked);
        let cancel = cancel.or_else(|| caller.may_cancel.then(Cancel::default));
        Box::new(Control { reply, cancelled: cancel.map(Cancel::wait), timeout, observed, _progress: progress })
    };
    match handler {
        Handler::Done(reply) => done(reply, observed),
        Handler::Future(handler) => {
            let handler = within(observed.as_deref(), handler);
            let call = PendingCall { handler, reply: reply.clone(), control: Some(control(reply, observed)) };
            Dispatched::Pending(Box::new(call))
        }
        Handler::Detached(handler) => {
            let handler = within(observed.as_deref(), handler);
            let call = PendingCall { handler, reply: reply.clone(), control: None };
            Dispatched::Detached(Box::new(call), control(reply, observed))
        }
        Handler::Blocking(handler) => {
            let span = observed.as_ref().map_or_else(Span::none, |observed| observed.span().clone());
            let call = BlockingCall { handler, reply: reply.clone(), span };
            Dispatched::Blocking(Box::new(call), control(reply, observed))
        }
        Handler::Events(_) => done(reply.error(CallError::internal("a topic was called as a method")), observed),
    }
}

fn done(reply: Encoded, observed: Option<Box<Observed>>) -> Dispatched {
    if let Some(mut observed) = observed {
        observed.end(&reply);
    }
    Dispatched::Done(reply)
}

type Pending = Pin<Box<dyn Future<Output = Encoded> + Send>>;

/// The same handler, polled within the span of its call, if there is one.
fn within(observed: Option<&Observed>, handler: Pending) -> Pending {
    match observed.map(Observed::span) {
        Some(span) if !span.is_disabled() => Box::pin(handler.instrument(span.clone())),
        _ => handler,
    }
}

/// What can be done about a call before it is dispatched.
pub fn control(route: &Route, caller: &Caller<'_>, id: &RequestId, asked: Option<Duration>) -> Box<Control> {
    let reply = Reply { id: id.clone(), wire: caller.wire, method: route.method.uri, expose: caller.expose_details };
    let cancelled = caller.may_cancel.then(|| Cancel::default().wait());
    let observed = Observed::waiting(caller.account, route);
    Box::new(Control { reply, cancelled, timeout: timeout(route, asked), observed, _progress: None })
}

/// How long a call may take, of which its client says how long it will wait.
fn timeout(route: &Route, asked: Option<Duration>) -> Option<Duration> {
    [asked, route.method.terms.timeout].into_iter().flatten().min()
}

/// Opens the stream of one subscription.
pub fn subscribe(route: &Route, caller: &Caller<'_>, id: RequestId, arguments: &mut Arguments) -> Result<Events, Encoded> {
    let mut call = caller.call(route, id, arguments);
    match run(&mut call)? {
        Handler::Events(events) => Ok(events),
        Handler::Done(_) | Handler::Future(_) | Handler::Detached(_) | Handler::Blocking(_) => {
            Err(call.reply.error(CallError::internal("a method was subscribed to as a topic")))
        }
    }
}

/// Looks whether the caller may, binds the arguments and runs the shim, or says to the client why not.
fn run(call: &mut Call<'_>) -> Result<Handler, Encoded> {
    if let Some(authority) = call.method.terms.require {
        let refused = |error| refusal(call.reply.wire, &call.reply.id, &error);
        call.client.principal().require(authority).map_err(refused)?;
    }
    let bound = call.bound.bind(call.arguments, call.method.parameters);
    let outcome = match bound {
        Ok(()) => catch_unwind(AssertUnwindSafe(|| (call.method.call)(call))),
        Err(error) => Ok(Err(error)),
    };
    match outcome {
        Ok(Ok(outcome)) => Ok(outcome.0),
        Ok(Err(error)) => Err(refusal(call.reply.wire, &call.reply.id, &error.into_call_error(call.method.uri))),
        Err(panic) => Err(panicked(&call.reply, &*panic)),
    }
}

/// What can be done about a call that runs, or waits for its turn.
pub struct Control {
    reply: Reply,
    cancelled: Option<Cancelled>,
    /// How long the client will wait.
    pub timeout: Option<Duration>,
    /// Ends with the reply.
    observed: Option<Box<Observed>>,
    /// Progress may be reported for as long as this is here.
    _progress: Option<OpenProgress>,
}

impl Control {
    /// The id that the client gave the call, when it may be cancelled by it.
    pub fn cancellable(&self) -> Option<(String, Cancel)> {
        let cancel = self.cancelled.as_ref()?.cancel();
        Some((self.reply.wire.id_text(&self.reply.id)?, cancel.clone()))
    }

    /// Ready when the call is cancelled, with its answer.
    pub fn poll_cancelled(&mut self, cx: &mut Context<'_>) -> Poll<Encoded> {
        let Some(cancelled) = &mut self.cancelled else { return Poll::Pending };
        Pin::new(cancelled).poll(cx).map(|()| self.reply.error(CallError::new(ErrorCode::Cancelled, "Cancelled")))
    }

    /// The answer to a client that will not wait any longer.
    pub fn too_late(&self) -> Encoded {
        self.reply.error(CallError::new(ErrorCode::DeadlineExceeded, "Deadline exceeded"))
    }

    /// The call was answered.
    pub fn end(&mut self, reply: &Encoded) {
        if let Some(mut observed) = self.observed.take() {
            observed.end(reply);
        }
    }

    /// Tells the handler that nobody waits for it any more.
    pub fn abandon(&self) {
        if let Some(cancelled) = &self.cancelled {
            cancelled.cancel().cancel();
        }
    }
}

/// A call whose handler has not returned yet. Never panics.
pub struct PendingCall {
    handler: Pending,
    reply: Reply,
    /// `None` when somebody else has it.
    pub control: Option<Box<Control>>,
}

impl Future for PendingCall {
    type Output = Encoded;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Encoded> {
        let this = &mut *self;
        catch_unwind(AssertUnwindSafe(|| this.handler.as_mut().poll(cx)))
            .unwrap_or_else(|panic| Poll::Ready(panicked(&this.reply, &*panic)))
    }
}

/// A handler that may block. Never panics.
pub struct BlockingCall {
    handler: Box<dyn FnOnce() -> Encoded + Send>,
    reply: Reply,
    span: Span,
}

impl BlockingCall {
    pub fn run(self) -> Encoded {
        let _entered = self.span.enter();
        catch_unwind(AssertUnwindSafe(self.handler)).unwrap_or_else(|panic| panicked(&self.reply, &*panic))
    }
}

fn panicked(reply: &Reply, panic: &(dyn Any + Send)) -> Encoded {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    reply.error(CallError::internal(format_args!("panicked: {}", text.unwrap_or("no text"))))
}
