//! Retained events, for clients and subscriptions that come later.

use serde::Serialize;

use super::*;
use crate::{
    Attachment, Value,
    wire::{Frame, FrameKind},
};

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
    let message = outbox.pop().unwrap().unwrap();
    let text = |frame: &Frame| {
        let bytes = [&*frame.head, &*frame.body].concat();
        if frame.kind == FrameKind::Binary {
            return format!("{:?}", &bytes[4..]);
        }
        let text = String::from_utf8(bytes).unwrap();
        let mut parts = text.split("wslink_bin");
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |text, part| text + "KEY" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
    };
    message.frames().iter().map(text).collect()
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
            |number: u8| if wire.name() == "v1" { format!("\"sub\":{number},") } else { format!("sub{}", char::from(number)) };
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
