//! The subscriptions of a client: to topics that all subscribers share, and to streams of its own.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use serde::Serialize;

use super::{
    Event, Link,
    login::Attendance,
    server::{ServerSide, answer, misused},
};
use crate::{
    CallError, ErrorCode, Payload, Value,
    panics::drop_caught,
    rpc::{self, TopicDescriptor},
    topic::Restriction,
    wire::{Content, Encoded, Incoming, MessageId, Outgoing, Protocol, Subject},
};

/// A topic's name is kept with the subscription, so it may not be longer than this many bytes.
const MAX_TOPIC: usize = 1024;

/// The subscriptions of one session, by number.
#[derive(Default)]
pub(super) struct Subscriptions {
    by_number: HashMap<u64, Subscription>,
    last: u64,
}

enum Subscription {
    Shared(String),
    /// With what decides who may see its events.
    Own(&'static TopicDescriptor, Option<Arc<Restriction>>),
}

#[derive(Serialize)]
struct Subscribed {
    subscription: u64,
}

impl Subscriptions {
    /// Those that a client has kept over a lost connection.
    pub(super) fn kept(kept: &[(u64, String)]) -> Self {
        let by_number = kept.iter().map(|(number, topic)| (*number, Subscription::Shared(topic.clone()))).collect();
        Self { by_number, last: kept.iter().map(|(number, _)| *number).max().unwrap_or(0) }
    }
}

impl ServerSide {
    pub(super) fn subscribe(
        &mut self,
        link: &mut Link,
        protocol: &'static dyn Protocol,
        id: &MessageId,
        incoming: &mut Incoming,
    ) -> Result<Encoded, CallError> {
        self.may_call()?;
        let topic = incoming.first().filter(|topic: &String| topic.len() <= MAX_TOPIC);
        let topic = topic.ok_or_else(|| misused("wslink.subscribe", "a topic of at most 1024 bytes"))?;
        let limit = self.shared.limits.subscriptions;
        if self.subscriptions.by_number.len() >= limit {
            return Err(CallError::new(ErrorCode::Overloaded, "Too many subscriptions").with_data(Value::map([("limit", limit)])));
        }
        self.shared.hub.admit(&self.client, &topic)?;
        self.subscriptions.last += 1;
        let number = self.subscriptions.last;
        let subscribed = answer(protocol, id, &Subscribed { subscription: number });
        let Some(own) = self.shared.routes.find_stream(&topic) else {
            self.shared.hub.subscribe(self.client.id(), &self.outbox, &topic, number);
            self.tell_subscribed(&topic);
            self.subscriptions.by_number.insert(number, Subscription::Shared(topic));
            return Ok(subscribed);
        };
        // The other arguments are the filter.
        incoming.arguments.positional.remove(0);
        match rpc::subscribe(&own.route, &self.context(protocol), id.clone(), &mut incoming.arguments) {
            Err(refusal) => Ok(refusal),
            Ok(events) => {
                self.subscriptions
                    .by_number
                    .insert(number, Subscription::Own(own.topic, self.shared.hub.restriction(own.topic.uri)));
                self.tell_subscribed(own.topic.uri);
                link.events.push_back(Event::Stream(number, events));
                Ok(subscribed)
            }
        }
    }

    pub(super) fn unsubscribe(
        &mut self,
        link: &mut Link,
        protocol: &'static dyn Protocol,
        id: &MessageId,
        incoming: &mut Incoming,
    ) -> Result<Encoded, CallError> {
        let number = incoming.first().ok_or_else(|| misused("wslink.unsubscribe", "the number of a subscription"))?;
        let subscription = self.subscriptions.by_number.remove(&number);
        let existed = subscription.is_some();
        match subscription {
            Some(Subscription::Shared(topic)) => {
                self.shared.hub.unsubscribe(self.client.id(), &self.outbox, &topic, number);
                self.tell_unsubscribed(&topic);
            }
            Some(Subscription::Own(topic, _)) => {
                link.events.push_back(Event::EndStream(number));
                self.tell_unsubscribed(topic.uri);
            }
            None => {}
        }
        Ok(answer(protocol, id, &existed))
    }

    pub(super) fn stream_item(&mut self, link: &mut Link, number: u64, item: Option<Box<dyn Payload + Send>>) {
        let Some(Subscription::Own(topic, restriction)) = self.subscriptions.by_number.get(&number) else { return };
        let Some(protocol) = link.speaking.as_ref().map(|speaking| speaking.protocol) else { return };
        let TopicDescriptor { uri, delivery, .. } = **topic;
        match item {
            Some(payload) => {
                let message = encode(protocol, uri, number, Content::Result(payload.as_serialize()));
                drop_caught(payload);
                let dropped = self.outbox.push_stream(number, uri, delivery, restriction.clone(), message);
                self.shared.hub.published(uri, delivery, 1, dropped);
            }
            None => {
                self.subscriptions.by_number.remove(&number);
                self.tell_unsubscribed(uri);
                self.outbox.push_reliable(0, encode(protocol, uri, number, Content::End));
            }
        }
    }

    fn tell_subscribed(&self, topic: &str) {
        if let Some(Attendance { visit, .. }) = &self.visit {
            visit.subscribed(topic);
        }
    }

    fn tell_unsubscribed(&self, topic: &str) {
        if let Some(Attendance { visit, .. }) = &self.visit {
            visit.unsubscribed(topic);
        }
    }

    /// Ends the streams that the client's new principal may not see. The hub has withheld the events that wait.
    pub(super) fn end_forbidden(&mut self, link: &mut Link, protocol: &'static dyn Protocol) {
        let Self { shared, client, outbox, subscriptions, visit, .. } = self;
        subscriptions.by_number.retain(|number, subscription| match subscription {
            Subscription::Shared(_) => true,
            Subscription::Own(topic, _) => {
                let stays = shared.hub.admit(client, topic.uri).is_ok();
                if !stays {
                    link.events.push_back(Event::EndStream(*number));
                    if let Some(Attendance { visit, .. }) = visit {
                        visit.unsubscribed(topic.uri);
                    }
                    outbox.push_reliable(0, encode(protocol, topic.uri, *number, Content::End));
                }
                stays
            }
        });
    }
}

/// The frames of an event of one subscription; when its payload cannot be serialised, those of an error event. The
/// payload's own code runs here, and may panic.
fn encode(protocol: &dyn Protocol, topic: &str, number: u64, content: Content<'_>) -> Encoded {
    let subject = || Subject::Event { topic, subscription: Some(number) };
    let encoded = catch_unwind(AssertUnwindSafe(|| protocol.encode(&Outgoing { subject: subject(), content })));
    let reason = match encoded {
        Ok(Ok(encoded)) => return encoded,
        Ok(Err(error)) => error.0,
        Err(panic) => {
            drop_caught(panic);
            "its `Serialize` panicked".to_owned()
        }
    };
    tracing::warn!(topic, reason, "a payload cannot be serialised");
    let error = CallError::new(ErrorCode::ResultSerialize, "Method result cannot be serialized");
    let outgoing = Outgoing { subject: subject(), content: Content::Error(&error) };
    protocol.encode(&outgoing).unwrap_or_else(|_| Encoded::nothing())
}
