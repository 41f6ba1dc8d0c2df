//! What a client subscribed to: topics that everybody shares, and streams of its own.

use std::collections::HashMap;

use serde::Serialize;

use super::{Answer, Connection, Feed, Step, answer, feed::end, first, misused};
use crate::{
    CallError, Cancel, Delivery, ErrorCode, Value,
    rpc::{self, TopicDescriptor},
    wire::{Request, RequestId, WireVersion},
};

/// A topic's name is kept with the subscription and with what the application says of it, so it may not be
/// longer than this many bytes.
const MAX_TOPIC: usize = 1024;

/// The subscriptions of one connection, by number.
#[derive(Default)]
pub(super) struct Subscriptions {
    by_number: HashMap<u64, Subscription>,
    last: u64,
}

impl Subscriptions {
    /// Those that a client has kept over a lost connection.
    pub(super) fn kept(kept: &[(u64, String)]) -> Self {
        let by_number = kept.iter().map(|(number, topic)| (*number, Subscription::Shared(topic.clone()))).collect();
        Self { by_number, last: kept.iter().map(|(number, _)| *number).max().unwrap_or(0) }
    }
}

enum Subscription {
    Shared(String),
    Own(&'static TopicDescriptor, Cancel),
}

#[derive(Serialize)]
struct Subscribed {
    subscription: u64,
}

impl Connection {
    pub(super) fn subscribe(
        &mut self,
        wire: &'static dyn WireVersion,
        id: &RequestId,
        request: &mut Request,
    ) -> Result<Step, CallError> {
        self.unexpired()?;
        let topic = first(request).filter(|topic: &String| topic.len() <= MAX_TOPIC);
        let topic = topic.ok_or_else(|| misused("wslink.subscribe", "a topic of at most 1024 bytes"))?;
        let limit = self.shared.limits.subscriptions;
        if self.subscriptions.by_number.len() >= limit {
            return Err(CallError::new(ErrorCode::Overloaded, "Too many subscriptions").with_data(Value::map([("limit", limit)])));
        }
        self.shared.hub.admit(&self.client, &topic)?;
        self.subscriptions.last += 1;
        let number = self.subscriptions.last;
        let subscribed = answer(wire, id, &Subscribed { subscription: number });
        let Some(own) = self.shared.routes.find_stream(&topic) else {
            self.shared.hub.subscribe(self.client.id(), &self.outbox, &topic, number);
            self.subscriptions.by_number.insert(number, Subscription::Shared(topic));
            return Ok(Step::Reply(subscribed));
        };
        // What is left are the filter arguments.
        request.arguments.positional.remove(0);
        match rpc::subscribe(&own.route, &self.caller(wire), id.clone(), &mut request.arguments) {
            Err(refusal) => Ok(Step::Reply(refusal)),
            Ok(events) => {
                let cancel = Cancel::default();
                self.subscriptions.by_number.insert(number, Subscription::Own(own.topic, cancel.clone()));
                Ok(Step::Subscribed(subscribed, Box::new(Feed::new(events, own.topic, number, wire, cancel))))
            }
        }
    }

    pub(super) fn unsubscribe(
        &mut self,
        wire: &'static dyn WireVersion,
        id: &RequestId,
        request: &mut Request,
    ) -> Result<Step, CallError> {
        let number = first(request).ok_or_else(|| misused("wslink.unsubscribe", "the number of a subscription"))?;
        let subscription = self.subscriptions.by_number.remove(&number);
        let answer = Answer { wire, id: id.clone() }.with(subscription.is_some());
        match subscription {
            Some(Subscription::Shared(topic)) => self.shared.hub.unsubscribe(self.client.id(), &self.outbox, &topic, number),
            Some(Subscription::Own(_, cancel)) => cancel.cancel(),
            None => {}
        }
        Ok(Step::Reply(answer))
    }

    /// An event of a subscription's own stream was queued, for which so many older ones were dropped.
    pub(crate) fn fed(&self, topic: &'static str, delivery: Delivery, dropped: usize) {
        self.shared.hub.published(topic, delivery, 1, dropped);
    }

    /// Ends the streams that the client's new principal may not see.
    pub(super) fn end_forbidden(&mut self, wire: &'static dyn WireVersion) {
        let Self { shared, client, outbox, subscriptions, .. } = self;
        subscriptions.by_number.retain(|number, subscription| match subscription {
            // Of what everybody shares, the hub withholds what the client may not see.
            Subscription::Shared(_) => true,
            Subscription::Own(topic, cancel) => {
                let stays = shared.hub.admit(client, topic.uri).is_ok();
                if !stays {
                    cancel.cancel();
                    outbox.retract(*number);
                    outbox.push_reliable(0, end(wire, topic, *number));
                }
                stays
            }
        });
    }

    /// The stream of a subscription has ended by itself.
    pub(crate) fn ended(&mut self, number: u64) {
        self.subscriptions.by_number.remove(&number);
    }
}
