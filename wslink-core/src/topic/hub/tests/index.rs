//! The receivers of a publication, and the memory that clients leave behind.

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
