//! Tests of the hub alone: what is published while clients come, change and are asked about.

use std::sync::Arc;

use super::*;
use crate::{
    Client, ClientId, Handshake, Principal, Publisher,
    topic::{Interest, Outbox, Topic, Topics},
    wire::{self, Encoded},
};

fn client(name: &str, authorities: &[&str]) -> Client {
    let principal = Principal::new(name).granting(authorities.iter().copied());
    Client::new(ClientId::random().unwrap(), Handshake::default(), principal)
}

/// A client that receives these topics, or everything where there are none.
fn join(hub: &Hub, client: &Client, wire: &'static dyn WireVersion, topics: &[&str]) -> Arc<Outbox> {
    let outbox = Arc::new(Outbox::new(1 << 20));
    let everything = topics.is_empty();
    let interest = if everything { Interest::Everything } else { Interest::Topics(Topics::default()) };
    hub.join(client.clone(), wire, Arc::clone(&outbox), interest);
    for (number, topic) in (1..).zip(topics) {
        hub.subscribe(client.id(), &outbox, topic, number);
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

    /// Every event of these texts says which number it is.
    fn numbers(texts: &[String]) -> Vec<String> {
        texts.iter().map(|text| text.rsplit('#').nth(1).unwrap_or_else(|| panic!("{text}")).to_owned()).collect()
    }

    /// Publishes from four threads at once: `#thread:number#`.
    fn publish_at_once(hub: &Arc<Hub>, topic: Topic<String>, events: usize) {
        thread::scope(|scope| {
            for thread in 0..4 {
                let publisher = Publisher::new(Arc::clone(hub));
                scope.spawn(move || {
                    (0..events).for_each(|number| publisher.publish(topic, &format!("#{thread}:{number}#")));
                });
            }
        });
    }

    /// Clients of both versions of the protocol, of which some receive everything.
    fn crowd(hub: &Hub, topic: &str) -> Vec<Arc<Outbox>> {
        let everything: &[&str] = &[];
        let kinds = wire::ALL.into_iter().flat_map(|wire| [(wire, everything), (wire, std::slice::from_ref(&topic))]);
        kinds.map(|(wire, topics)| join(hub, &client("somebody", &[]), wire, topics)).collect()
    }

    #[test]
    fn all_clients_get_the_events_of_a_topic_in_one_order() {
        const LOG: Topic<String> = Topic::new("t.log", Delivery::Reliable);
        let hub = Arc::new(Hub::default());
        let crowd = crowd(&hub, LOG.uri());
        publish_at_once(&hub, LOG, 500);
        let orders: Vec<_> = crowd.iter().map(|outbox| numbers(&waiting(outbox))).collect();
        assert!(orders.iter().all(|order| order.len() == 2000));
        for order in &orders[1..] {
            let differ = order.iter().zip(&orders[0]).filter(|(one, other)| one != other).count();
            assert_eq!(differ, 0, "of 2000 positions");
        }
    }

    #[test]
    fn all_clients_end_on_the_same_latest_value_which_is_the_one_retained() {
        const STATE: Topic<String> = Topic::new("t.state", Delivery::Latest);
        for topic in [STATE, STATE.retaining()] {
            for _ in 0..200 {
                let hub = Arc::new(Hub::default());
                let crowd = crowd(&hub, topic.uri());
                publish_at_once(&hub, topic, 3);
                let is_retained = !hub.retained().is_empty();
                let later = if is_retained { self::crowd(&hub, topic.uri()) } else { Vec::new() };
                let last: Vec<_> = crowd.iter().chain(&later).map(|outbox| numbers(&waiting(outbox)).pop().unwrap()).collect();
                assert!(last.iter().all(|value| *value == last[0]), "{last:?}");
            }
        }
    }

    /// Joins from within the payload's own code, with another version of the protocol than the clients that are there.
    struct Joins<'a>(&'a Hub, std::cell::RefCell<Option<Arc<Outbox>>>);

    impl serde::Serialize for Joins<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut joined = self.1.borrow_mut();
            joined.get_or_insert_with(|| join(self.0, &client("late", &[]), wire::ALL[0], &["t.log"]));
            serializer.serialize_str("#1#")
        }
    }

    #[test]
    fn a_client_of_another_version_that_comes_meanwhile_gets_the_event_too() {
        const LOG: &str = "t.log";
        let hub = Hub::default();
        let here = join(&hub, &client("here", &[]), wire::ALL[1], &[LOG]);
        let payload = Joins(&hub, std::cell::RefCell::default());
        hub.publish(&Audience::All, Channel::Named(LOG), &payload);
        let late = payload.1.take().unwrap();
        assert_eq!([here, late].map(|outbox| numbers(&waiting(&outbox))), [["1"], ["1"]]);
    }
}

mod index {
    use super::*;

    #[test]
    fn a_client_that_is_gone_leaves_nothing_behind() {
        let hub = Arc::new(Hub::default());
        for wire in wire::ALL {
            for topics in [&["t.one", "t.two"][..], &[]] {
                let (one, other) = (client("one", &[]), client("other", &[]));
                let outboxes = [&one, &other].map(|client| join(&hub, client, wire, topics));
                for group in ["a", "b"] {
                    [one.id(), other.id(), other.id()].iter().for_each(|id| hub.enter(id, group));
                }
                hub.exit(one.id(), "a");
                hub.unsubscribe(one.id(), &outboxes[0], "t.one", 1);
                hub.leave(other.id(), &outboxes[1]);
                let everything = usize::from(topics.is_empty());
                assert_eq!(hub.read().sizes(), [1, everything, 1 - everything, 1]);
                hub.leave(one.id(), &outboxes[0]);
                assert_eq!(hub.read().sizes(), [0; 4]);
            }
        }
    }

    #[test]
    fn each_audience_gets_its_events() {
        let hub = Arc::new(Hub::default());
        let all: Vec<_> = wire::ALL
            .into_iter()
            .flat_map(|wire| [&["t.one"][..], &["t.two"], &[]].map(|topics| (wire, topics)))
            .map(|(wire, topics)| {
                let client = client("somebody", &[]);
                let outbox = join(&hub, &client, wire, topics);
                (client, outbox)
            })
            .collect();
        let publisher = Publisher::new(Arc::clone(&hub));
        let ids: Vec<_> = all.iter().map(|(client, _)| client.id()).collect();
        [0, 1, 5].iter().for_each(|index| publisher.enter(ids[*index], "group"));
        let receivers = |publisher: Publisher| {
            publisher.publish_untyped("t.one", &1);
            let got: Vec<_> = (0..6).filter(|index| !waiting(&all[*index].1).is_empty()).collect();
            assert_eq!(publisher.subscribers_untyped("t.one"), got.len());
            got
        };
        assert_eq!(receivers(publisher.clone()), [0, 2, 3, 5]);
        assert_eq!(receivers(publisher.except(ids[2])), [0, 3, 5]);
        assert_eq!(receivers(publisher.to(ids[3])), [3]);
        assert_eq!(receivers(publisher.to(ids[1])), [0; 0]);
        assert_eq!(receivers(publisher.group("group")), [0, 5]);
        assert_eq!(receivers(publisher.group("another")), [0; 0]);
    }

    /// Says with which versions of the protocol it was serialised.
    struct Witness(std::cell::Cell<usize>);

    impl serde::Serialize for Witness {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.set(self.0.get() + 1);
            serializer.serialize_unit()
        }
    }

    #[test]
    fn what_is_retained_is_encoded_in_the_versions_in_use_only() {
        let hub = Hub::default();
        let channel = Channel::Declared { topic: "a.b", delivery: Delivery::Reliable, key: 0, retain: true, require: None };
        for (wires, expected) in [(&[][..], 1), (&[1][..], 1), (&[0][..], 2), (&[0, 1][..], 2)] {
            let clients: Vec<_> = wires.iter().map(|wire| client(["one", "other"][*wire], &[])).collect();
            let outboxes: Vec<_> =
                clients.iter().zip(wires).map(|(client, wire)| join(&hub, client, wire::ALL[*wire], &["a.b"])).collect();
            let witness = Witness(std::cell::Cell::new(0));
            hub.publish(&Audience::All, channel, &witness);
            assert_eq!(witness.0.get(), expected);
            clients.iter().zip(&outboxes).for_each(|(client, outbox)| hub.leave(client.id(), outbox));
        }
    }
}

mod retained {
    use serde::Serialize;

    use super::*;
    use crate::{Attachment, Value};

    #[derive(Serialize)]
    struct Everything {
        unit: (),
        truth: bool,
        small: i8,
        large: u64,
        short: f32,
        long: f64,
        not_a_number: f32,
        text: String,
        letter: char,
        some: Option<u8>,
        none: Option<u8>,
        list: Vec<Kind>,
        keys: HashMap<u32, &'static str>,
        image: Attachment,
        icon: Attachment,
    }

    #[derive(Serialize)]
    enum Kind {
        Unit,
        One(u8),
        Two(u8, u8),
        Named { x: i32 },
    }

    fn everything() -> Everything {
        Everything {
            unit: (),
            truth: true,
            small: -7,
            large: u64::MAX,
            short: 0.1,
            long: 0.1,
            not_a_number: f32::NAN,
            text: "\"\u{e9}".to_owned(),
            letter: '\u{e9}',
            some: Some(3),
            none: None,
            list: vec![Kind::Unit, Kind::One(1), Kind::Two(1, 2), Kind::Named { x: -1 }],
            keys: HashMap::from([(5, "five")]),
            image: vec![7; 300_000].into(),
            icon: vec![8; 100].into(),
        }
    }

    /// The bytes of a message, but for what no two messages share: ids and keys of attachments.
    fn bytes(outbox: &Outbox) -> Vec<String> {
        let (_, message) = outbox.pop().unwrap().unwrap();
        let frames = message.frames().iter().map(|frame| [&*frame.head, &*frame.body].concat());
        let text = |frame: Vec<u8>| match frame.first() {
            Some(b'{') => {
                let text = String::from_utf8(frame).unwrap();
                let mut parts = text.split("wslink_bin");
                let first = parts.next().unwrap().to_owned();
                parts.fold(first, |text, part| text + "KEY" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
            }
            _ => format!("{:?}", &frame[4..]),
        };
        frames.map(text).collect()
    }

    #[test]
    fn it_is_the_same_for_those_who_come_later_in_every_version() {
        const ALL: Topic<Everything> = Topic::new("t.all", Delivery::Reliable).retaining();
        let hub = Arc::new(Hub::default());
        let publisher = Publisher::new(Arc::clone(&hub));
        for wire in wire::ALL {
            // Nobody is there who speaks it.
            publisher.publish(ALL, &everything());
            let here = join(&hub, &client("here", &[]), wire, &[]);
            let later = bytes(&here);
            publisher.publish(ALL, &everything());
            assert_eq!(later, bytes(&here));
        }
    }

    #[test]
    fn it_goes_to_the_new_subscription_only_and_is_not_counted() {
        const STATE: Topic<&str> = Topic::new("t.state", Delivery::Latest).retaining();
        for wire in wire::ALL {
            let hub = Arc::new(Hub::default());
            let publisher = Publisher::new(Arc::clone(&hub));
            publisher.publish(STATE, &"old");
            let client = client("somebody", &[]);
            let outbox = join(&hub, &client, wire, &[STATE.uri()]);
            hub.subscribe(client.id(), &outbox, STATE.uri(), 77);
            let first = waiting(&outbox);
            assert_eq!(first.len(), 2, "{first:?}");
            let sub =
                |number: u8| if wire.index() == 0 { format!("\"sub\":{number},") } else { format!("sub{}", char::from(number)) };
            assert!(first[0].contains(&sub(1)) && first[1].contains(&sub(77)), "{first:?}");
            publisher.publish(STATE, &"new");
            let next = waiting(&outbox);
            assert!(next.len() == 1 && !next[0].contains("sub"), "{next:?}");
        }
    }

    #[test]
    fn what_could_not_be_serialised_is_an_error_for_those_who_come_later() {
        struct Broken;
        impl Serialize for Broken {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("broken"))
            }
        }
        const BROKEN: Topic<Broken> = Topic::new("t.broken", Delivery::Latest).retaining();
        for wire in wire::ALL {
            let hub = Arc::new(Hub::default());
            Publisher::new(Arc::clone(&hub)).publish(BROKEN, &Broken);
            for topics in [&[BROKEN.uri()][..], &[]] {
                let got = waiting(&join(&hub, &client("somebody", &[]), wire, topics));
                assert!(got.len() == 1 && got[0].contains("Method result cannot be serialized"), "{got:?}");
            }
        }
    }

    #[test]
    fn values_of_unknown_shape_pass_too() {
        const ANY: Topic<Value> = Topic::new("t.any", Delivery::Latest).retaining();
        let hub = Arc::new(Hub::default());
        let value = Value::map([("list", Value::List(vec![Value::Null, 1.into(), Value::Binary(vec![1, 2].into())]))]);
        Publisher::new(Arc::clone(&hub)).publish(ANY, &value);
        for wire in wire::ALL {
            assert_eq!(waiting(&join(&hub, &client("somebody", &[]), wire, &[ANY.uri()])).len(), 1);
        }
    }
}
