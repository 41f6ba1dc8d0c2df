//! Tests of the hub alone: what is published while clients come, change and are asked about.

use std::sync::Arc;

use super::*;
use crate::{
    Client, ClientId, Handshake, Principal, Publisher,
    topic::{Interest, Outbox, Topic, Topics},
};

fn client(name: &str, authorities: &[&str]) -> Client {
    let principal = Principal::new(name).granting(authorities.iter().copied());
    Client::new(ClientId::random().unwrap(), Handshake::default(), principal)
}

/// A client that receives these topics, or everything where there are none.
fn join(hub: &Hub, client: &Client, wire: &'static dyn Protocol, topics: &[&str]) -> Arc<Outbox> {
    let outbox = Arc::new(Outbox::new(1 << 20));
    let everything = topics.is_empty();
    let interest = if everything { Interest::Everything } else { Interest::Topics(Topics::default()) };
    hub.join(client.clone(), wire, Arc::clone(&outbox), interest);
    for (number, topic) in (1..).zip(topics) {
        hub.subscribe(client.id(), &outbox, topic, number, 1024);
    }
    outbox
}

/// The messages that wait, as text.
fn waiting(outbox: &Outbox) -> Vec<String> {
    let texts = std::iter::from_fn(|| outbox.pop().unwrap());
    texts.map(|(_, message)| String::from_utf8_lossy(&message.frames()[0].head).into_owned()).collect()
}

mod principals {
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
                [NEWS, SECRET, STATE, LAST].iter().for_each(|topic| publisher.publish(*topic, &text));
            }
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
        let bytes = all.iter().map(|(_, message)| message.len()).sum();
        all.into_iter().for_each(|(_, message)| outbox.push_reliable(0, message));
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
        }
    }

    #[test]
    fn events_of_a_stream_that_ends_with_the_principal_are_withheld() {
        for delivery in [Delivery::Reliable, Delivery::Latest, Delivery::DropOldest(5)] {
            let outbox = Outbox::new(1000);
            let message = |text: &'static str| Encoded::one(wire::Frame::new(wire::FrameKind::Text, text));
            outbox.push(0, "t.stream", 7, delivery, message("of one"));
            outbox.push(0, "t.stream", 8, delivery, message("of another"));
            outbox.retract(7);
            assert_eq!(waiting(&outbox), ["of another"]);
        }
    }
}

mod order {
    use std::thread;

    use super::*;

    /// Sees whether somebody would have to wait for it.
    struct Payload<'a>(&'a Hub);

    impl serde::Serialize for Payload<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            assert!(self.0.clients.try_write().is_ok() && self.0.retained.try_lock().is_ok());
            serializer.serialize_unit()
        }
    }

    #[test]
    fn nobody_waits_for_the_payload_of_somebody_else() {
        let hub = Hub::default();
        let channel = Channel::Declared { topic: "a.b", delivery: Delivery::Reliable, key: 0, retain: true, require: None };
        hub.publish(&Audience::All, channel, &Payload(&hub));
        assert_eq!(hub.retained().len(), 1);
    }

    /// Of two events that are published at once, the last one for the clients that are here is the one for those that
    /// come later.
    #[test]
    fn what_is_retained_is_what_the_clients_have_last() {
        const STATE: Topic<u32> = Topic::new("t.state", Delivery::Latest).retaining();
        for _ in 0..100 {
            let hub = Arc::new(Hub::default());
            let here = join(&hub, &client("here", &[]), wire::ALL[0], &[]);
            thread::scope(|scope| {
                for number in 0..4 {
                    let publisher = Publisher::new(Arc::clone(&hub));
                    scope.spawn(move || publisher.publish(STATE, &number));
                }
            });
            let later = join(&hub, &client("later", &[]), wire::ALL[0], &[]);
            assert_eq!(waiting(&here), waiting(&later));
        }
    }
}
