//! Takes the steps that a message of the client leads to: begins its call, and answers it once it is over.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{Driver, end::End};
use crate::server::{
    in_flight::{Answered, Deadline, InFlight},
    turns::Turn,
};
use wslink_core::{connection::Step, wire::Violation};

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    pub(super) fn take(&mut self, step: Step, cx: &mut Context<'_>) {
        match step {
            Step::Ordered(call) => match self.turns.in_lane(call.lane, cx) {
                Ok(turn) => {
                    let step = self.connection.begin(*call);
                    self.begin(step, turn, None, cx);
                }
                Err(place) => {
                    if let Some(control) = self.connection.control(&call) {
                        self.set_aside(InFlight::ordered(call, control, place));
                    }
                }
            },
            step => self.begin(step, Turn::default(), None, cx),
        }
    }

    /// Takes a step that has its turn; a call that waited for it has had its deadline since then.
    pub(super) fn begin(&mut self, step: Step, turn: Turn, deadline: Option<Deadline>, cx: &mut Context<'_>) {
        match step {
            // Only calls that have no turn yet.
            Step::None | Step::Ordered(_) => {}
            Step::Reply(reply) => self.reply(reply),
            Step::Greeting(greeting) => {
                self.watch.greeting(Instant::now());
                let from = self.connection.client().handshake().address().map(|address| address.ip());
                let again = self.connection.is_authenticated();
                self.greeting = Some(Box::pin(Arc::clone(&self.hellos).answer(from, again, *greeting)));
            }
            Step::Subscribed(reply, feed) => {
                self.reply(reply);
                self.feeds.push(*feed);
            }
            Step::Pending(mut call) => match Pin::new(&mut *call).poll(cx) {
                Poll::Ready(reply) => {
                    if let Some(control) = &mut call.control {
                        control.end(&reply);
                    }
                    // The call's progress ends before its reply begins.
                    drop(call);
                    self.answer(Answered { answer: Some(reply), id: None, turn });
                }
                Poll::Pending => self.set_aside(InFlight::inline(call, turn, deadline)),
            },
            Step::Detached(call, control) => {
                let kept = self.turns.detach();
                self.set_aside(InFlight::detached(call, control, turn, deadline, kept));
            }
            Step::Blocking(call, control) => self.set_aside(match self.turns.on_thread(cx) {
                Ok(thread) => InFlight::blocking(call, control, turn.on_thread(Some(thread)), deadline),
                Err(place) => InFlight::queued(call, control, turn, deadline, place),
            }),
            Step::Cancel(id, answer) => {
                let cancel = self.cancellable.remove(&id);
                self.reply(answer.with(cancel.is_some()));
                if let Some(cancel) = cancel {
                    cancel.cancel();
                }
            }
        }
    }

    pub(super) fn answer(&mut self, answered: Answered) {
        let Answered { answer, id, turn } = answered;
        if let Some(id) = id {
            self.cancellable.remove(&id);
        }
        if let Some(reply) = answer {
            self.reply(reply);
        }
        drop(turn);
    }

    fn set_aside(&mut self, call: InFlight) {
        if let Some((id, cancel)) = call.cancellable() {
            self.cancellable.insert(id.clone(), cancel.clone());
        }
        self.calls.push(call);
    }

    /// Answers the hello that waits, if its answer has come.
    pub(super) fn greet(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let Some(greeting) = &mut self.greeting else { return Ok(()) };
        let Poll::Ready(answered) = greeting.as_mut().poll(cx) else { return Ok(()) };
        self.greeting = None;
        let greeted = answered.map_err(|Violation { code, reason }| End::Say(code, reason))?;
        if greeted.is_good() {
            self.watch.good_for(greeted.lifetime(), Instant::now());
        }
        let was_authenticated = self.connection.is_authenticated();
        let reply = self.connection.greeted(greeted);
        self.reply(reply);
        if self.connection.is_authenticated() {
            self.watch.greeted();
        }
        if self.connection.is_authenticated() && !was_authenticated {
            self.socket.set_max_frame(self.max_frame);
            self.seat.iter().for_each(|seat| seat.said_hello());
        }
        Ok(())
    }
}
