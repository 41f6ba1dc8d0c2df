//! Two sessions, joined without a network: what the model test has found.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use wslink_core::{
    Delivery, Limits, Topic,
    rpc::Mounted,
    service,
    session::{ClientEvent, Continuity, Memory, Shared},
    topic,
    wire::ALL,
};

use self::pair::{Pair, server};

mod pair;

const STATE: Topic<String> = Topic::new("t.state", Delivery::Reliable).retaining();
const OTHER: Topic<String> = Topic::new("t.other", Delivery::Reliable).retaining();

/// Streams of their own for each subscription.
struct Streams;

#[service(crate = wslink_core)]
impl Streams {
    #[topic("s.insider", require = "insider")]
    fn insider(&self) -> impl Stream<Item = u32> + Send + 'static {
        stream::iter(0..5)
    }

    #[topic("s.large")]
    fn large(&self) -> impl Stream<Item = String> + Send + 'static {
        stream::iter([1, 10_000, 5]).map(|len| "x".repeat(len))
    }
}

fn serve(change: impl FnOnce(&mut Limits)) -> Arc<Shared> {
    server(&[Mounted::new(Streams)], Limits::with(change))
}

/// The payloads of the subscription, as far as they are text.
fn texts(events: &[ClientEvent], id: u64) -> Vec<String> {
    let payloads = events.iter().filter_map(|event| match event {
        ClientEvent::Payload(of, payload) if *of == id => Some(payload.as_ref().unwrap().decode().unwrap()),
        _ => None,
    });
    payloads.collect()
}

fn continuity(events: &[ClientEvent], id: u64) -> Option<Continuity> {
    events.iter().find_map(|event| match event {
        ClientEvent::Reconnected(of, continuity) if *of == id => Some(*continuity),
        _ => None,
    })
}

#[test]
fn what_a_topic_retains_is_given_once_although_it_is_sent_again() {
    for protocol in ALL {
        let shared = serve(|_| {});
        shared.publisher.publish(STATE, &"on".to_owned());
        for arrives in [true, false] {
            let mut pair = Pair::new(&shared, protocol, Memory::default());
            pair.exchange();
            pair.subscribe(1, STATE.uri());
            pair.up();
            let frames = pair.sent();
            assert_eq!(frames.len(), 2, "an answer and an event");
            pair.read(&frames[..if arrives { 2 } else { 1 }]);
            assert_eq!(texts(&pair.events(), 1).len(), usize::from(arrives));

            let mut pair = Pair::new(&shared, protocol, pair.lose());
            let events = pair.exchange();
            assert_eq!(continuity(&events, 1), Some(Continuity::Resumed));
            assert_eq!(texts(&events, 1).len(), usize::from(!arrives));
            shared.publisher.publish(STATE, &"on".to_owned());
            assert_eq!(texts(&pair.exchange(), 1), ["on"]);
        }
    }
}

#[test]
fn what_a_topic_retains_comes_anew_where_it_is_too_large_to_be_sent_again() {
    for protocol in ALL {
        let shared = serve(|limits| limits.resume_bytes = 10_000);
        shared.publisher.publish(STATE, &"x".repeat(20_000));
        let mut pair = Pair::new(&shared, protocol, Memory::default());
        pair.exchange();
        pair.subscribe(1, STATE.uri());
        pair.up();
        let answer = &pair.sent()[..1];
        pair.read(answer);

        let mut pair = Pair::new(&shared, protocol, pair.lose());
        let events = pair.exchange();
        assert_eq!(continuity(&events, 1), Some(Continuity::Fresh));
        assert_eq!(texts(&events, 1).iter().map(String::len).collect::<Vec<_>>(), [20_000]);
    }
}

#[test]
fn events_of_a_stream_that_has_ended_are_withheld_from_another_principal() {
    for protocol in ALL {
        let mut pair = Pair::new(&serve(|_| {}), protocol, Memory::default());
        pair.exchange();
        pair.subscribe(1, "s.insider");
        pair.up();
        pair.client.hello("bob").unwrap();
        pair.up();
        let events = pair.exchange();
        assert_eq!(texts(&events, 1), [""; 0]);
        assert!(events.iter().any(|event| matches!(event, ClientEvent::Ended(1))), "{events:?}");
    }
}

#[test]
fn a_client_may_begin_however_much_its_topics_retain() {
    for protocol in ALL {
        let shared = serve(|limits| (limits.outbox_bytes, limits.reply_bytes) = (100, 100));
        for topic in [STATE, OTHER] {
            shared.publisher.publish(topic, &"x".repeat(300));
        }
        let mut pair = Pair::new(&shared, protocol, Memory::default());
        pair.exchange();
        for (id, topic) in [(1, STATE), (2, OTHER), (3, STATE)] {
            pair.subscribe(id, topic.uri());
        }
        pair.up();
        assert!(!pair.server.wants_frames(), "no further subscription before the first has begun");
        let events = pair.exchange();
        assert_eq!(pair.server.closing(), None);
        assert_eq!([1, 2, 3].map(|id| texts(&events, id).len()), [1; 3]);
    }
}

#[test]
fn a_stream_that_is_always_ready_does_not_overflow_an_outbox() {
    for protocol in ALL {
        let mut pair = Pair::new(&serve(|limits| limits.outbox_bytes = 1000), protocol, Memory::default());
        pair.exchange();
        pair.subscribe(1, "s.large");
        let events = pair.exchange();
        assert_eq!(pair.server.closing(), None);
        assert_eq!(texts(&events, 1).iter().map(String::len).collect::<Vec<_>>(), [1, 10_000, 5]);
    }
}

#[test]
fn a_subscription_that_ends_before_the_hello_is_answered_costs_no_resumption() {
    for protocol in ALL {
        let shared = serve(|_| {});
        let mut pair = Pair::new(&shared, protocol, Memory::default());
        pair.exchange();
        pair.subscribe(1, STATE.uri());
        pair.subscribe(2, OTHER.uri());
        pair.exchange();

        // The answer to this hello does not arrive.
        let mut pair = Pair::new(&shared, protocol, pair.lose());
        pair.client.unsubscribe(1);
        pair.up();

        let mut pair = Pair::new(&shared, protocol, pair.lose());
        assert_eq!(continuity(&pair.exchange(), 2), Some(Continuity::Resumed));
        assert_eq!(shared.publisher.subscribers(STATE), 0, "it has ended here, too");
    }
}
