//! An event encoded once and put into the outbox of every client, each of which takes it.

use std::{hint::black_box, sync::Arc};

use super::{Run, Step};
use wslink_core::{
    Client, ClientId, Delivery, Handshake, Limits, Principal, Publisher, Topic,
    topic::{Hub, Interest, Outbox, Topics},
    wire::{FrameKind, Protocol, V1, V2},
};

const TOPIC: Topic<&str> = Topic::new("a.topic", Delivery::Reliable);

pub(super) const STEPS: &[Step] = &[
    Step::new("to nobody", || publish(&[])),
    Step::new("to 1 client", || publish(&[(V2, 1)])),
    Step::new("to 50 clients", || publish(&[(V2, 50)])).items(50),
    Step::new("to 50 clients of both protocols", || publish(&[(V1, 25), (V2, 25)])).items(50),
    Step::new("to 1000 clients", || publish(&[(V2, 1000)])).items(1000),
];

/// To so many clients of each protocol.
fn publish(clients: &[(&'static dyn Protocol, usize)]) -> Run {
    let hub = Arc::new(Hub::default());
    let clients = clients.iter().flat_map(|&(protocol, count)| std::iter::repeat_n(protocol, count));
    let outboxes: Vec<_> = clients.map(|protocol| join(&hub, protocol)).collect();
    let publisher = Publisher::new(hub);
    Box::new(move || {
        publisher.publish(TOPIC, &"a small event");
        for outbox in &outboxes {
            black_box(outbox.pop().unwrap().unwrap());
        }
    })
}

/// A client that receives the topic: by a subscription in the second protocol, with all else in the first.
fn join(hub: &Hub, protocol: &'static dyn Protocol) -> Arc<Outbox> {
    let limits = Limits::default();
    let outbox = Arc::new(Outbox::new(limits.outbox_bytes));
    let id = ClientId::random().unwrap();
    let client = Client::new(id.clone(), Handshake::default(), Principal::default());
    let interest = match protocol.first_frame() {
        FrameKind::Text => Interest::Everything,
        FrameKind::Binary => Interest::Topics(Topics::default()),
    };
    hub.join(client, protocol, Arc::clone(&outbox), interest, None);
    hub.subscribe(&id, &outbox, TOPIC.uri(), 1);
    outbox
}
