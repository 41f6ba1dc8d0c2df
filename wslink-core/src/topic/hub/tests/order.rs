//! One order of the events of a topic for all clients, and what is encoded while no lock is held.

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
