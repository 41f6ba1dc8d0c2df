//! Tokens, connections that are not the last one, and what may be remembered.

use super::*;
use crate::{
    Handshake, Principal,
    topic::{Topics, hub::Audience},
    wire,
};

fn client() -> Client {
    let handshake = Handshake::new(None, None, &http::Uri::from_static("/ws"), &http::HeaderMap::new());
    Client::new(ClientId::random().unwrap(), handshake, Principal::default())
}

#[test]
fn what_an_old_connection_still_does_is_nothing_to_the_client_that_has_gone_on() {
    let (hub, limits, wire) = (Hub::default(), Limits::default(), wire::ALL[0]);
    let outboxes = [(); 3].map(|()| Arc::new(Outbox::new(1000)));
    let go_on = |token, outbox| {
        let resumed = hub.resume(&Resume { token, received: 0 }, &client(), wire, outbox).unwrap();
        (hub.allow_resume(&resumed.client, outbox, &limits).unwrap(), resumed.kept)
    };
    let lost = client();
    hub.join(lost.clone(), wire, Arc::clone(&outboxes[0]), Interest::Topics(Topics::default()), None);
    let token = hub.allow_resume(&lost, &outboxes[0], &limits).unwrap();
    let (token, _) = go_on(token, &outboxes[1]);
    assert_eq!(hub.disconnected(lost.id(), &outboxes[1], &limits), Disconnected::FirstResumable);

    hub.subscribe(lost.id(), &outboxes[0], "a.b", 1);
    hub.renew(&lost, &outboxes[0]);
    assert_eq!(hub.allow_resume(&lost, &outboxes[0], &limits), None);
    assert_eq!(hub.disconnected(lost.id(), &outboxes[0], &limits), Disconnected::Removed);
    hub.leave(lost.id(), &outboxes[0]);

    assert_eq!(go_on(token, &outboxes[2]).1, []);
    (0..2 * AGES).for_each(|_| _ = hub.age());
    assert_eq!(hub.clients(&Audience::All), 1, "it is not forgotten while it is here");
}

#[test]
fn a_client_whose_events_overflowed_is_not_resumed_though_it_says_hello_again() {
    let (hub, limits, wire) = (Arc::new(Hub::default()), Limits::default(), wire::ALL[0]);
    let (slow, outbox) = (client(), Arc::new(Outbox::new(100)));
    hub.join(slow.clone(), wire, Arc::clone(&outbox), Interest::Topics(Topics::default()), None);
    hub.subscribe(slow.id(), &outbox, "a.b", 1);
    let token = hub.allow_resume(&slow, &outbox, &limits).unwrap();
    let publisher = crate::Publisher::new(Arc::clone(&hub));
    (0..2).for_each(|_| publisher.publish_untyped("a.b", &"x".repeat(100)));
    // Its session has not looked at the outbox yet.
    hub.renew(&slow, &outbox);
    assert_eq!(hub.allow_resume(&slow, &outbox, &limits), None);
    assert_eq!(hub.disconnected(slow.id(), &outbox, &limits), Disconnected::Removed);
    assert!(hub.resume(&Resume { token, received: 0 }, &client(), wire, &Arc::new(Outbox::new(100))).is_none());
}

/// A client that receives these topics and is lost at once, when it has been sent `events` of 1,000 bytes.
fn lose(hub: &Hub, limits: &Limits, topics: &[String], events: usize) -> (ClientId, Disconnected) {
    let (client, outbox) = (client(), Arc::new(Outbox::new(usize::MAX)));
    hub.join(client.clone(), wire::ALL[1], Arc::clone(&outbox), Interest::Topics(Topics::default()), None);
    for (number, topic) in (1..).zip(topics) {
        hub.subscribe(client.id(), &outbox, topic, number);
    }
    hub.allow_resume(&client, &outbox, limits).unwrap();
    for _ in 0..events {
        outbox.push_reliable(1, wire::Encoded::one(wire::Frame::new(wire::FrameKind::Binary, vec![7; 1000])));
    }
    let state = hub.disconnected(client.id(), &outbox, limits);
    (client.id().clone(), state)
}

#[test]
fn the_names_of_topics_count_as_what_is_kept() {
    let limits = Limits { resume_bytes: 100_000, ..Limits::default() };
    let topics: Vec<_> = (0..1024).map(|number| format!("{number:01000}")).collect();
    let hub = Hub::default();
    assert_eq!(lose(&hub, &limits, &topics, 0).1, Disconnected::Removed);
    assert_eq!(lose(&hub, &limits, &topics[..50], 200).1, Disconnected::FirstResumable);
    let used = hub.budget.used();
    assert!((90_000..=100_000).contains(&used), "{used} bytes of names and events");
    hub.forget_all();
    assert_eq!(hub.budget.used(), 0);
}

#[test]
fn all_that_are_remembered_keep_to_one_limit() {
    let limits = Limits { resume_total_bytes: 100_000, ..Limits::default() };
    let hub = Arc::new(Hub::default());
    let here = |hub: &Hub| hub.change().away.since.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    let topics = ["a.b".to_owned()];
    let lost: Vec<_> = (0..5).map(|_| lose(&hub, &limits, &topics, 40).0).collect();
    assert_eq!(here(&hub), lost[3..], "the last two have room");
    // What is published for those that are away needs room too.
    let publisher = crate::Publisher::new(Arc::clone(&hub));
    (0..20).for_each(|_| publisher.publish_untyped("a.b", &"x".repeat(1000)));
    assert_eq!(here(&hub), lost[4..], "the one that is away longest goes first");
    assert_eq!(lose(&hub, &limits, &topics, 400).1, Disconnected::Removed, "more than there is room for");
    assert_eq!((here(&hub).len(), hub.budget.used()), (0, 0));
}
