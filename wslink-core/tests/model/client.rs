//! The program of a client: its subscriptions over all connections, and what it must and must not receive.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use wslink_core::{
    CallError, ErrorCode, Publisher,
    session::{Continuity, Memory, Session, SubscribeError},
    wire::{Body, Parts, Protocol, Target},
};

use super::{
    env::Env,
    flow::{Flow, StreamFlow, count},
    hub_clients::Who,
    ledger::Facts,
    link::Ms,
    topics::{Event, STREAMS, TOPICS},
};

pub(crate) struct Client {
    pub(crate) index: usize,
    pub(crate) protocol: &'static dyn Protocol,
    /// Knows no extensions, as the clients of the original server.
    pub(crate) stock: bool,
    pub(crate) secret: &'static str,
    /// The state of its session while it has no connection.
    pub(crate) memory: Memory,
    pub(crate) subscriptions: BTreeMap<u64, Subscription>,
    last_subscription: u64,
    /// Its client in the hub.
    pub(crate) hub: Option<usize>,
    /// The connection whose welcome it received last.
    pub(crate) welcomed_on: u32,
    /// The topics for which a client of the hub had subscriptions, and the connection that asked for the first ones.
    seen: HashMap<(usize, usize), Option<u32>>,
    /// When it connects again, while it has no connection.
    pub(crate) connects_at: Ms,
    pub(crate) connection: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) flow: Flows,
    pub(crate) confirmed: bool,
}

#[derive(Debug)]
pub(crate) enum Flows {
    Topic(Flow),
    Stream(usize, StreamFlow),
}

impl Flows {
    /// Whether only Alice may have it.
    pub(crate) fn is_for_alice(&self) -> bool {
        match self {
            Self::Topic(flow) => TOPICS[flow.topic()].for_alice,
            Self::Stream(stream, _) => STREAMS[*stream].0 == "s.insider",
        }
    }
}

impl Client {
    pub(crate) fn new(index: usize, protocol: &'static dyn Protocol, stock: bool) -> Self {
        Self {
            index,
            protocol,
            stock,
            secret: "alice",
            memory: Memory::default(),
            subscriptions: BTreeMap::new(),
            last_subscription: 0,
            hub: None,
            welcomed_on: 0,
            seen: HashMap::new(),
            connects_at: 0,
            connection: None,
        }
    }

    /// Subscribes to a topic that subscribers share.
    pub(crate) fn subscribe(&mut self, env: &Env, session: &mut Session, topic: usize) {
        let facts = env.ledger.facts();
        let Some(hub) = self.hub else { return };
        let clean = self.seen.insert((hub, topic), None).is_none() && !self.stock;
        let flow = Flow::new(topic, hub, count(&facts, topic), clean);
        drop(facts);
        self.add(session, TOPICS[topic].uri, &(TOPICS[topic].uri,), Flows::Topic(flow));
    }

    /// Subscribes to a stream of `count` items.
    pub(crate) fn open_stream(&mut self, session: &mut Session, stream: usize, interval: Ms, count: u32) {
        let (uri, is_reliable) = STREAMS[stream];
        self.add(session, uri, &(uri, interval, count), Flows::Stream(stream, StreamFlow::new(is_reliable, count)));
    }

    fn add(&mut self, session: &mut Session, uri: &str, arguments: &dyn erased_serde::Serialize, flow: Flows) {
        self.last_subscription += 1;
        let id = self.last_subscription;
        self.subscriptions.insert(id, Subscription { flow, confirmed: false });
        let draft = self.protocol.draft(Target::Subscribe, Parts { positional: Some(arguments), named: None }).unwrap();
        session.subscribe(id, Arc::from(uri), draft);
    }

    pub(crate) fn subscribed(&mut self, env: &Env, id: u64, outcome: Result<(), SubscribeError>) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            assert!(outcome.is_err(), "subscription {id}, which the program ended, is confirmed");
            return;
        };
        match outcome {
            Ok(()) => {
                assert!(!std::mem::replace(&mut subscription.confirmed, true), "subscription {id} is confirmed twice");
                if let Flows::Topic(flow) = &mut subscription.flow {
                    flow.confirmed(&env.ledger.facts());
                }
            }
            Err(SubscribeError::Refused(error)) => {
                let is_possible = match error.code() {
                    ErrorCode::Overloaded => env.setup.limits.subscriptions < 100,
                    ErrorCode::Forbidden => subscription.flow.is_for_alice(),
                    ErrorCode::Authentication => env.setup.lifetime.is_some(),
                    _ => false,
                };
                assert!(is_possible, "subscription {id} cannot be refused with {error:?}");
                self.subscriptions.remove(&id);
            }
            Err(SubscribeError::Malformed(why)) => panic!("{why}"),
        }
    }

    /// A subscription goes on with connection `number`, whose hello was said when so many events were published.
    pub(crate) fn reconnected(&mut self, env: &Env, id: u64, continuity: Continuity, number: u32, said: &[u32]) {
        let facts = env.ledger.facts();
        let hub = self.hub.expect("the hello is answered");
        let topics = self.subscriptions.values().filter_map(|subscription| match &subscription.flow {
            Flows::Topic(flow) => Some(flow.topic()),
            Flows::Stream(..) => None,
        });
        let topics: Vec<_> = topics.collect();
        let subscription = self.subscriptions.get_mut(&id).expect("a subscription that the program has");
        match &mut subscription.flow {
            Flows::Topic(flow) if continuity == Continuity::Fresh => {
                let topic = flow.topic();
                let asked_by = *self.seen.entry((hub, topic)).or_insert(Some(number));
                let is_alone = topics.iter().filter(|other| **other == topic).count() == 1;
                let clean = asked_by == Some(number) && (is_alone || !TOPICS[topic].retains) || self.stock;
                *flow = Flow::new(topic, hub, said[topic], clean);
                if self.stock {
                    flow.confirmed(&facts);
                }
            }
            Flows::Topic(flow) => flow.resumed(continuity, &facts),
            Flows::Stream(_, stream) => {
                assert_eq!(continuity, Continuity::Fresh, "the stream of a subscription ends with its connection");
                stream.restart();
            }
        }
    }

    /// An event has come by `connection`, handed out while the server had it for `who`.
    pub(crate) fn event(&mut self, env: &Env, id: u64, payload: Result<Body, CallError>, connection: u32, who: Who) {
        let body = payload.unwrap_or_else(|error| panic!("an event that was not published: {error:?}"));
        let event: Event = body.decode().unwrap();
        let subscription = self.subscriptions.get_mut(&id).expect("a subscription that the program has");
        assert!(!subscription.flow.is_for_alice() || who == Who::Alice, "an event for Alice was sent to {who:?}");
        if let Some(call) = event.call.map(|call| &env.calls[call as usize]) {
            let waits = call.task.connection == connection && call.outcome.is_none();
            assert!(!waits, "an event of call {} comes before its reply", call.task.id);
        }
        match &mut subscription.flow {
            Flows::Topic(flow) => flow.event(event.number, &env.ledger.facts()),
            Flows::Stream(_, stream) => stream.event(event.number),
        }
    }

    /// The stream of a subscription has ended.
    pub(crate) fn ended(&mut self, id: u64) {
        match self.subscriptions.remove(&id).expect("a subscription that the program has").flow {
            Flows::Stream(stream, flow) => flow.check_end(STREAMS[stream].0 == "s.insider"),
            Flows::Topic(_) => panic!("a topic that subscribers share does not end"),
        }
    }

    /// The hub has the subscriptions that the program has.
    pub(crate) fn check_subscribed(&self, publisher: &Publisher, facts: &Facts) {
        let Some(hub) = self.hub.filter(|_| !self.stock).map(|hub| &facts.clients[hub]) else { return };
        for (topic, info) in TOPICS.iter().enumerate() {
            let is_of = |flow: &Flows| matches!(flow, Flows::Topic(flow) if flow.topic() == topic);
            let is_subscribed = self.subscriptions.values().any(|subscription| is_of(&subscription.flow));
            let receives = publisher.to(&hub.id).subscribers_untyped(info.uri);
            assert_eq!(receives, usize::from(is_subscribed && info.may_see(hub.who)), "receivers of {}", info.uri);
        }
    }

    /// The server has stopped in time: everything that was published before, when there were so many events of each topic,
    /// has arrived.
    pub(crate) fn check_stopped(&self, facts: &Facts, published: &[u32]) {
        for subscription in self.subscriptions.values() {
            if let Flows::Topic(flow) = &subscription.flow {
                flow.check_until(facts, published[flow.topic()]);
            }
        }
    }

    /// Everything that was published for the client has arrived.
    pub(crate) fn check_complete(&self, facts: &Facts) {
        for subscription in self.subscriptions.values() {
            match &subscription.flow {
                Flows::Topic(flow) => flow.check_complete(facts),
                Flows::Stream(..) => {}
            }
        }
    }
}
