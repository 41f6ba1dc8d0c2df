//! From a request to its handler: finds the route, binds the arguments, runs the shim.
//!
//! A handler that panics costs its own call and nothing else.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    Call, Routes,
    bind::bind,
    call::{Progress, Reply, refusal},
};
use crate::{
    CallError, Client, ErrorCode, Publisher,
    wire::{Encoded, Request, RequestId, WireVersion},
};

/// What became of a request.
pub(crate) enum Dispatched {
    /// Answered.
    Done(Encoded),
    /// To be polled.
    Pending(PendingCall),
    /// To be run where it may block.
    Blocking(BlockingCall),
}

/// Everything a call may refer to that is not in the request.
pub(crate) struct Caller<'a> {
    pub(crate) client: &'a Client,
    pub(crate) publisher: &'a Publisher,
    pub(crate) wire: &'static dyn WireVersion,
    pub(crate) expose_details: bool,
}

/// Runs the request of an authenticated client.
pub(crate) fn dispatch(routes: &Routes, caller: &Caller<'_>, id: &RequestId, request: Request) -> Dispatched {
    let refuse = |error: &CallError| Dispatched::Done(refusal(caller.wire, id, error));
    let Some(uri) = request.method.as_deref() else {
        return refuse(&CallError::new(ErrorCode::InvalidRequest, "Invalid request"));
    };
    let Some(route) = routes.find(uri) else {
        return refuse(&CallError::new(ErrorCode::MethodNotFound, "Unregistered method called").with_data(uri));
    };
    let method = route.method;
    let mut arguments = request.arguments;
    let bound = match bind(&mut arguments, method.parameters) {
        Ok(bound) => bound,
        Err(error) => return refuse(&error.into_call_error(method.uri)),
    };
    let reply = Reply { id: id.clone(), wire: caller.wire, method: method.uri, expose: caller.expose_details };
    let mut call = Call {
        method,
        service: &route.service,
        client: caller.client,
        publisher: caller.publisher,
        arguments,
        bound,
        reply: reply.clone(),
    };
    match catch_unwind(AssertUnwindSafe(|| (method.call)(&mut call))) {
        Err(panic) => Dispatched::Done(panicked(&reply, &*panic)),
        Ok(Err(error)) => refuse(&error.into_call_error(method.uri)),
        Ok(Ok(outcome)) => match outcome.0 {
            Progress::Done(encoded) => Dispatched::Done(encoded),
            Progress::Future(handler) => Dispatched::Pending(PendingCall { handler, reply }),
            Progress::Blocking(handler) => Dispatched::Blocking(BlockingCall { handler, reply }),
        },
    }
}

/// A call whose handler has not returned yet. Never panics.
pub(crate) struct PendingCall {
    handler: Pin<Box<dyn Future<Output = Encoded> + Send>>,
    reply: Reply,
}

impl Future for PendingCall {
    type Output = Encoded;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Encoded> {
        let this = &mut *self;
        catch_unwind(AssertUnwindSafe(|| this.handler.as_mut().poll(cx)))
            .unwrap_or_else(|panic| Poll::Ready(panicked(&this.reply, &*panic)))
    }
}

/// A call whose handler may block. Never panics.
pub(crate) struct BlockingCall {
    handler: Box<dyn FnOnce() -> Encoded + Send>,
    reply: Reply,
}

impl BlockingCall {
    pub(crate) fn run(self) -> Encoded {
        catch_unwind(AssertUnwindSafe(self.handler)).unwrap_or_else(|panic| panicked(&self.reply, &*panic))
    }
}

fn panicked(reply: &Reply, panic: &(dyn Any + Send)) -> Encoded {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    reply.error(CallError::internal(format_args!("panicked: {}", text.unwrap_or("no text"))))
}
