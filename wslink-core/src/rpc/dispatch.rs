//! From a request to its handler: finds the route, binds the arguments, runs the shim.
//!
//! A handler that panics costs its own call and nothing else.

use std::{
    any::Any,
    cell::Cell,
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
    progress::OpenProgress,
};
use crate::{
    CallError, Client, Payload, Publisher,
    lifecycle::{Instance, Visit},
    panics::{self, drop_caught},
    telemetry::{Observed, Telemetry},
    topic::Outbox,
    wire::{Arguments, Encoded, Incoming, MessageId, Protocol},
};

/// The outcome of a dispatch.
pub(crate) enum Dispatched {
    /// Answered.
    Done(Encoded),
    /// A handler is to be run.
    Begun(Work, Box<Control>),
}

/// A handler to run.
pub enum Work {
    /// To be polled where the connection is served, and dropped when nobody waits for its reply any more.
    Inline(Box<PendingCall>),
    /// To be polled by a task of its own, to its end.
    Detached(Box<PendingCall>),
    /// To be run on a thread that may block.
    Blocking(Box<BlockingCall>),
}

/// Everything a call may refer to that is not in the request.
pub(crate) struct CallContext<'a> {
    pub(crate) client: &'a Client,
    pub(crate) publisher: &'a Publisher,
    pub(crate) wire: &'static dyn Protocol,
    pub(crate) expose_details: bool,
    /// Where the client wants progress reported to.
    pub(crate) progress: Option<&'a Arc<Outbox>>,
    /// Where calls are counted, if they are.
    pub(crate) telemetry: Option<&'a Arc<Telemetry>>,
    /// Where services have hooks: the client is there for as long as its handlers run.
    pub(crate) visit: Option<&'a Arc<Visit>>,
}

impl<'a> CallContext<'a> {
    /// The client's own instance of the service, where each client has one.
    #[inline]
    fn own(&self, route: &Route) -> Option<Instance> {
        route.per_client.and_then(|place| self.visit?.instance(place))
    }

    /// A call of what `route` leads to.
    fn call(&self, (route, own): (&'a Route, &'a Option<Instance>), id: MessageId, arguments: &'a mut Arguments) -> Call<'a> {
        let method = route.method;
        Call {
            method,
            service: own.as_ref().unwrap_or(&route.service),
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

thread_local! {
    /// The method whose code ran last on this thread.
    static LAST: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// The method whose code ran last on this thread, since the last call of this function: the one to name where the thread
/// was held for too long.
#[must_use]
pub fn take_last_method() -> Option<&'static str> {
    LAST.take()
}

/// Runs a call of an authenticated client.
#[inline]
pub(crate) fn dispatch(route: &Route, context: &CallContext<'_>, id: MessageId, request: &mut Incoming) -> Dispatched {
    let asked = request.timeout;
    let observed = Observed::begin(context.telemetry, route.method_ref(), context.client);
    LAST.set(Some(route.method.uri));
    let entered = observed.as_ref().map(|observed| observed.span().enter());
    let own = context.own(route);
    let mut call = context.call((route, &own), id, &mut request.arguments);
    let handler = run(&mut call);
    drop(entered);
    let handler = match handler {
        Ok(Handler::Done(reply)) | Err(reply) => return done(reply, observed),
        Ok(handler) => handler,
    };
    let Call { reply, cancel, progress, .. } = call;
    let visit = context.visit.cloned();
    let pending = |handler, visit| {
        let handler = Some(within(observed.as_deref(), handler));
        Box::new(PendingCall { handler, reply: reply.clone(), visit })
    };
    let work = match handler {
        Handler::Done(reply) => return done(reply, observed),
        Handler::Future(handler) => Work::Inline(pending(handler, visit)),
        Handler::Detached(handler) => Work::Detached(pending(handler, visit)),
        Handler::Blocking(handler) => {
            let span = observed.as_ref().map_or_else(Span::none, |observed| observed.span().clone());
            Work::Blocking(Box::new(BlockingCall { handler, reply: reply.clone(), span, visit }))
        }
        Handler::Events(_) => return done(reply.error(CallError::internal("a topic was called as a method")), observed),
    };
    Dispatched::Begun(work, Box::new(Control { reply, cancel, timeout: timeout(route, asked), observed, progress }))
}

fn done(reply: Encoded, observed: Option<Box<Observed>>) -> Dispatched {
    if let Some(mut observed) = observed {
        observed.end(reply.outcome(), reply.len());
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

/// The control of a call that waits to be dispatched.
pub(crate) fn control(route: &Route, context: &CallContext<'_>, id: &MessageId, asked: Option<Duration>) -> Box<Control> {
    let reply = Reply { id: id.clone(), wire: context.wire, method: route.method.uri, expose: context.expose_details };
    let observed = Observed::waiting(context.telemetry, route.method_ref());
    Box::new(Control { reply, cancel: None, timeout: timeout(route, asked), observed, progress: None })
}

/// How long a call may take, of which its client says how long it will wait.
fn timeout(route: &Route, asked: Option<Duration>) -> Option<Duration> {
    [asked, route.method.terms.timeout].into_iter().flatten().min()
}

/// Opens the stream of one subscription.
pub(crate) fn subscribe(
    route: &Route,
    context: &CallContext<'_>,
    id: MessageId,
    arguments: &mut Arguments,
) -> Result<Events, Encoded> {
    let own = context.own(route);
    let mut call = context.call((route, &own), id, arguments);
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
        Ok(Err(error)) => Err(call.reply.error(error.into_call_error(call.method.uri))),
        Err(panic) => Err(panicked(&call.reply, panic)),
    }
}

/// The parts of a call that its session keeps until it is answered.
pub(crate) struct Control {
    pub(crate) reply: Reply,
    /// Tells the handler, where it asked for it, that nobody waits for its reply any more.
    pub(crate) cancel: Option<Cancel>,
    /// How long the call may take.
    pub(crate) timeout: Option<Duration>,
    /// Ends with the reply.
    observed: Option<Box<Observed>>,
    /// The handler may report progress until this is dropped.
    progress: Option<OpenProgress>,
}

impl Control {
    /// The call is answered.
    pub(crate) fn answered(&mut self, reply: &Encoded) {
        self.progress = None;
        if let Some(mut observed) = self.observed.take() {
            observed.end(reply.outcome(), reply.len());
        }
    }
}

/// A call whose handler has not returned yet. Never panics, not even when it is dropped.
pub struct PendingCall {
    handler: Option<Pending>,
    reply: Reply,
    /// Dropped last: the client is there for as long as its handlers are.
    #[expect(dead_code)]
    visit: Option<Arc<Visit>>,
}

impl Future for PendingCall {
    type Output = Encoded;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Encoded> {
        let this = &mut *self;
        let Some(handler) = &mut this.handler else { return Poll::Pending };
        LAST.set(Some(this.reply.method));
        catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx)))
            .unwrap_or_else(|panic| Poll::Ready(panicked(&this.reply, panic)))
    }
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        drop_caught(self.handler.take());
    }
}

/// A handler that may block. Never panics.
pub struct BlockingCall {
    handler: Box<dyn FnOnce() -> Encoded + Send>,
    reply: Reply,
    span: Span,
    /// The client is there for as long as its handlers are.
    visit: Option<Arc<Visit>>,
}

impl BlockingCall {
    /// Runs the handler.
    #[must_use]
    pub fn run(self) -> Encoded {
        let Self { handler, reply, span, visit } = self;
        let _entered = span.enter();
        let encoded = catch_unwind(AssertUnwindSafe(handler)).unwrap_or_else(|panic| panicked(&reply, panic));
        drop(visit);
        encoded
    }
}

/// Polls the stream of a subscription; one that panics has ended.
pub fn poll_stream(events: &mut Events, cx: &mut Context<'_>) -> Poll<Option<Box<dyn Payload + Send>>> {
    catch_unwind(AssertUnwindSafe(|| events.as_mut().poll_next(cx))).unwrap_or_else(|panic| {
        drop_caught(panic);
        tracing::error!("the stream of a subscription panicked");
        Poll::Ready(None)
    })
}

fn panicked(reply: &Reply, panic: Box<dyn Any + Send>) -> Encoded {
    let encoded = reply.error(CallError::internal(format_args!("panicked: {}", panics::text(&*panic))));
    drop_caught(panic);
    encoded
}
