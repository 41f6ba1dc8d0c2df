//! A client that changes its principal: what waits is for the one that it has now.

use super::*;

const NEWS: Topic<&str> = Topic::new("t.news", Delivery::Reliable);
const SECRET: Topic<&str> = Topic::new("t.secret", Delivery::Reliable).requiring("insider");
const STATE: Topic<&str> = Topic::new("t.state", Delivery::Latest).requiring("insider");
const LAST: Topic<&str> = Topic::new("t.last", Delivery::DropOldest(2)).requiring("insider");

#[test]
fn events_that_wait_are_withheld_from_another_principal() {
    let everything: &[&str] = &[];
    let topics: &[&str] = &[NEWS.uri(), SECRET.uri(), STATE.uri(), LAST.uri()];
    for (wire, topics) in wire::ALL.into_iter().flat_map(|wire| [(wire, everything), (wire, topics)]) {
        let hub = Arc::new(Hub::default());
        let mut client = client("alice", &["insider"]);
        let outbox = join(&hub, &client, wire, topics);
        let publisher = Publisher::new(Arc::clone(&hub));
        for text in ["first", "second", "third"] {
            [SECRET, NEWS, STATE, LAST].iter().for_each(|topic| publisher.publish(*topic, &text));
        }
        assert_eq!(outbox.next_after_reply(), Ok(Some(1)), "a secret one is the next");
        client.become_principal(Principal::new("bob"));
        hub.renew(&client, &outbox);
        assert_eq!(outbox.bytes(), waiting_bytes(&outbox), "what is counted is what waits");
        publisher.publish(NEWS, &"fourth");
        publisher.publish(SECRET, &"fifth");
        let waiting = waiting(&outbox);
        assert_eq!(waiting.len(), 4, "{waiting:?}");
        assert!(waiting.iter().zip(["first", "second", "third", "fourth"]).all(|(event, text)| event.contains(text)));
        // The queue still works by its policies.
        client.become_principal(Principal::new("carol").granting(["insider"]));
        hub.renew(&client, &outbox);
        (0..3).for_each(|_| [STATE, LAST].iter().for_each(|topic| publisher.publish(*topic, &"again")));
        assert_eq!(self::waiting(&outbox).len(), 3);
    }
}

/// The bytes of what waits; puts it back.
fn waiting_bytes(outbox: &Outbox) -> usize {
    let all: Vec<_> = std::iter::from_fn(|| outbox.pop().unwrap()).collect();
    let bytes = all.iter().map(|message| message.len()).sum();
    all.into_iter().for_each(|message| outbox.push_reliable(0, message));
    bytes
}

#[test]
fn the_application_is_asked_about_events_that_wait() {
    let everything: &[&str] = &[];
    for topics in [everything, &["t.named", "t.open"]] {
        let hub = Arc::new(Hub::default());
        let may = |client: &Client, topic: &str| topic != "t.named" || client.principal().name() == "alice";
        hub.set_guard(Guard::new([], Some(Box::new(may))));
        let mut client = client("alice", &[]);
        let outbox = join(&hub, &client, wire::ALL[0], topics);
        let publisher = Publisher::new(Arc::clone(&hub));
        publisher.publish_untyped("t.named", &1);
        publisher.publish_untyped("t.open", &2);
        client.become_principal(Principal::new("bob"));
        hub.renew(&client, &outbox);
        let waiting = waiting(&outbox);
        assert!(waiting.len() == 1 && waiting[0].contains("t.open"), "{waiting:?}");
        // Nothing was published since, so the application is asked now.
        let subscribers = ["t.named", "t.open"].map(|topic| publisher.subscribers_untyped(topic));
        assert_eq!(subscribers, [0, 1]);
    }
}

#[test]
fn events_of_streams_are_withheld_whether_or_not_their_stream_goes_on() {
    for delivery in [Delivery::Reliable, Delivery::Latest, Delivery::DropOldest(5)] {
        let hub = Arc::new(Hub::default());
        hub.set_guard(Guard::new([("t.secret", "insider")], None));
        let mut client = client("alice", &["insider"]);
        let outbox = join(&hub, &client, wire::ALL[0], &["t.news"]);
        for (subscription, topic) in [(7, "t.secret"), (8, "t.open")] {
            let message = Encoded::one(wire::Frame::new(wire::FrameKind::Text, topic));
            outbox.push_stream(subscription, topic, delivery, hub.restriction(topic), message);
        }
        client.become_principal(Principal::new("bob"));
        hub.renew(&client, &outbox);
        assert_eq!(waiting(&outbox), ["t.open"]);
    }
}
