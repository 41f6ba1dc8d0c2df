//! An event encoded once and put into the outbox of every client, each of which takes it.

use std::{hint::black_box, sync::Arc};

use super::{Run, Step};
use crate::{
    Client, ClientId, Delivery, Handshake, Limits, Principal, Publisher, Topic,
    topic::{Hub, Interest, Outbox, Topics},
    wire::{self, FrameKind},
};

const TOPIC: Topic<&str> = Topic::new("a.topic", Delivery::Reliable);

pub(super) const STEPS: &[Step] = &[
    Step::new("to nobody", || publish(&[])),
    Step::new("to 1 client", || publish(&[(FrameKind::Binary, 1)])),
    Step::new("to 50 clients", || publish(&[(FrameKind::Binary, 50)])).items(50),
    Step::new("to 50 clients of both generations", || publish(&[(FrameKind::Text, 25), (FrameKind::Binary, 25)])).items(50),
    Step::new("to 1000 clients", || publish(&[(FrameKind::Binary, 1000)])).items(1000),
];

/// To so many clients of each generation.
fn publish(clients: &[(FrameKind, usize)]) -> Run {
    let hub = Arc::new(Hub::default());
    let clients = clients.iter().flat_map(|&(generation, count)| std::iter::repeat_n(generation, count));
    let outboxes: Vec<_> = clients.map(|generation| join(&hub, generation)).collect();
    let publisher = Publisher::new(hub);
    Box::new(move || {
        publisher.publish(TOPIC, &"a small event");
        for outbox in &outboxes {
            black_box(outbox.pop().unwrap().unwrap());
        }
    })
}

/// A client that receives the topic: by a subscription in the second generation, with all else in the first.
fn join(hub: &Hub, generation: FrameKind) -> Arc<Outbox> {
    let limits = Limits::default();
    let outbox = Arc::new(Outbox::new(limits.outbox_bytes));
    let id = ClientId::random().unwrap();
    let client = Client::new(id.clone(), Handshake::default(), Principal::default());
    let interest = match generation {
        FrameKind::Text => Interest::Everything,
        FrameKind::Binary => Interest::Topics(Topics::default()),
    };
    hub.join(client, wire::detect(generation), Arc::clone(&outbox), interest);
    hub.subscribe(&id, &outbox, TOPIC.uri(), 1);
    outbox
}
