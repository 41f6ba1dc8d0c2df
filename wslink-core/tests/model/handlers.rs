//! Runs the handlers of calls and the streams of subscriptions in virtual time.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use wslink_core::{
    rpc::{BlockingCall, PendingCall, Work, poll_stream},
    session::CallKey,
    wire::Encoded,
};

use super::{env::Env, link::Ms, server_end::ServerEnd};

/// A handler that has begun.
pub(crate) enum Handler {
    Inline(Box<PendingCall>),
    Detached(Box<PendingCall>),
    /// Gets a thread at the first point of time, and is over at the second.
    Blocking(Box<BlockingCall>, Ms, Ms),
}

impl ServerEnd {
    pub(super) fn run(&mut self, env: &mut Env, call: CallKey, work: Work) {
        let handler = match work {
            Work::Inline(mut pending) => match poll(&mut pending) {
                Poll::Ready(reply) => {
                    drop(pending);
                    return self.session.finish_call(env.instant(), call, Some(reply));
                }
                Poll::Pending => Handler::Inline(pending),
            },
            Work::Detached(pending) => Handler::Detached(pending),
            Work::Blocking(blocking) => {
                let begins = env.now + if env.one_in(3) { env.rng.u64(..50) } else { 0 };
                Handler::Blocking(blocking, begins, begins + env.rng.u64(..200))
            }
        };
        self.handlers.push((call, handler));
    }

    pub(super) fn abort(&mut self, env: &Env, call: CallKey) {
        let is_dropped = |handler: &Handler| match handler {
            Handler::Inline(_) => true,
            Handler::Blocking(_, begins, _) => env.now < *begins,
            Handler::Detached(_) => false,
        };
        if let Some(at) = self.handlers.iter().position(|(other, handler)| *other == call && is_dropped(handler)) {
            drop(self.handlers.remove(at));
            self.session.finish_call(env.instant(), call, None);
        }
    }

    pub(super) fn poll_handlers(&mut self, env: &mut Env) -> bool {
        let mut progress = false;
        let mut at = 0;
        while at < self.handlers.len() && self.session.closing().is_none() {
            let (call, handler) = self.handlers.remove(at);
            match handler.poll(env.now) {
                Ok(reply) => {
                    progress = true;
                    self.session.finish_call(env.instant(), call, Some(reply));
                    self.events(env);
                    at = 0;
                }
                Err(handler) => {
                    self.handlers.insert(at, (call, handler));
                    at += 1;
                }
            }
        }
        progress
    }

    pub(super) fn poll_streams(&mut self) -> bool {
        let mut progress = false;
        let mut at = 0;
        while at < self.streams.len() && self.session.wants_stream_items() {
            let (number, events) = &mut self.streams[at];
            let number = *number;
            match poll_stream(events, &mut Context::from_waker(Waker::noop())) {
                Poll::Ready(item) => {
                    progress = true;
                    if item.is_none() {
                        drop(self.streams.remove(at));
                    }
                    self.session.stream_item(number, item);
                }
                Poll::Pending => at += 1,
            }
        }
        progress
    }
}

impl Handler {
    /// The reply, or the handler itself where it is not over.
    pub(crate) fn poll(self, now: Ms) -> Result<Encoded, Self> {
        match self {
            Self::Inline(mut pending) => ready(poll(&mut pending)).ok_or(Self::Inline(pending)),
            Self::Detached(mut pending) => ready(poll(&mut pending)).ok_or(Self::Detached(pending)),
            Self::Blocking(call, _, ends) if ends <= now => Ok(call.run()),
            Self::Blocking(..) => Err(self),
        }
    }

    /// When it is over, if nobody tells.
    pub(crate) const fn due(&self) -> Ms {
        match self {
            Self::Blocking(_, _, ends) => *ends,
            Self::Inline(_) | Self::Detached(_) => Ms::MAX,
        }
    }
}

fn poll(call: &mut PendingCall) -> Poll<Encoded> {
    Pin::new(call).poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
