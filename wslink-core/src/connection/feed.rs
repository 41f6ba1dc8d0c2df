//! The events of one subscription that has a stream of its own, encoded for its client.
//!
//! A stream is only polled when its client has room, so a slow client slows its own streams down.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;

use crate::{
    CallError, Cancel, Delivery, ErrorCode,
    rpc::{Cancelled, Events, TopicDescriptor},
    wire::{Content, Encoded, Outgoing, Subject, WireVersion},
};

/// Yields encoded events; the last one says that there are no more.
pub struct Feed {
    events: Option<Events>,
    topic: &'static TopicDescriptor,
    number: u64,
    wire: &'static dyn WireVersion,
    cancelled: Cancelled,
}

/// What a feed yields.
pub enum Fed {
    Event {
        number: u64,
        topic: &'static str,
        delivery: Delivery,
        message: Encoded,
    },
    /// The last event of this subscription.
    Last {
        number: u64,
        message: Encoded,
    },
}

impl Feed {
    pub(super) const fn new(
        events: Events,
        topic: &'static TopicDescriptor,
        number: u64,
        wire: &'static dyn WireVersion,
        cancel: Cancel,
    ) -> Self {
        Self { events: Some(events), topic, number, wire, cancelled: cancel.wait() }
    }

    fn encode(&self, content: Content<'_>) -> Encoded {
        encode(self.wire, self.topic, self.number, content)
    }
}

/// What says that a subscription has no further events.
pub(super) fn end(wire: &dyn WireVersion, topic: &TopicDescriptor, number: u64) -> Encoded {
    encode(wire, topic, number, Content::End)
}

fn encode(wire: &dyn WireVersion, topic: &TopicDescriptor, number: u64, content: Content<'_>) -> Encoded {
    let subject = || Subject::Event { topic: topic.uri, subscription: Some(number) };
    wire.encode(&Outgoing { subject: subject(), content }).unwrap_or_else(|error| {
        tracing::warn!(topic = topic.uri, error = error.0, "a payload cannot be serialised");
        let error = CallError::new(ErrorCode::ResultSerialize, "Method result cannot be serialized");
        let outgoing = Outgoing { subject: subject(), content: Content::Error(&error) };
        wire.encode(&outgoing).unwrap_or_else(|_| Encoded::nothing())
    })
}

impl Stream for Feed {
    type Item = Fed;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Fed>> {
        let this = self.get_mut();
        let Some(events) = &mut this.events else { return Poll::Ready(None) };
        if Pin::new(&mut this.cancelled).poll(cx).is_ready() {
            this.events = None;
            return Poll::Ready(None);
        }
        let next = catch_unwind(AssertUnwindSafe(|| events.as_mut().poll_next(cx))).unwrap_or_else(|_| {
            tracing::error!(topic = this.topic.uri, "the stream of a subscription panicked");
            Poll::Ready(None)
        });
        next.map(|payload| {
            let TopicDescriptor { uri: topic, delivery, .. } = *this.topic;
            Some(match payload {
                Some(payload) => {
                    let message = this.encode(Content::Result(payload.as_serialize()));
                    Fed::Event { number: this.number, topic, delivery, message }
                }
                None => {
                    this.events = None;
                    Fed::Last { number: this.number, message: this.encode(Content::End) }
                }
            })
        })
    }
}
