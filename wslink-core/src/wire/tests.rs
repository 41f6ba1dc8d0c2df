//! Values that both protocols must carry alike, or refuse alike.

use std::{collections::BTreeMap, fmt::Debug};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::*;
use crate::{Attachment, Value};

/// The message of a result, as a client of `protocol` receives it.
fn result(protocol: &dyn Protocol, value: &dyn erased_serde::Serialize) -> Result<Body, String> {
    let id = MessageId::new(if protocol.first_frame() == FrameKind::Text { b"\"rpc:1\"" } else { b"\xa5rpc:1" });
    let outgoing = Outgoing { subject: Subject::Reply(&id), content: Content::Result(value) };
    let encoded = protocol.encode(&outgoing).map_err(|error| error.0)?;
    let mut decoder = protocol.decoder(&Limits::default());
    decoder.authenticated();
    let mut last = None;
    for frame in encoded.frames() {
        last = decoder.next(frame.kind, [&*frame.head, &*frame.body].concat().into()).unwrap();
    }
    let (message, mut incoming) = last.unwrap();
    let Message::Reply { number: 1, content: Received::Result(span) } = message else { panic!("{message:?}") };
    Ok(incoming.body(span))
}

/// `value` is `untyped` to readers that know no type, and itself to those that know its type.
#[track_caller]
fn carried<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, untyped: impl Into<Value>) {
    let untyped = untyped.into();
    for protocol in ALL {
        let body = result(protocol, value).unwrap();
        assert_eq!(body.decode(), Ok(untyped.clone()), "{}", protocol.name());
        assert_eq!(body.decode::<T>().as_ref(), Ok(value), "{}", protocol.name());
    }
}

/// `value` cannot be carried, for this reason.
#[track_caller]
fn refused(value: impl Serialize, reason: &str) {
    for protocol in ALL {
        assert_eq!(result(protocol, &value).unwrap_err(), reason, "{}", protocol.name());
    }
}

/// A `T` cannot be read from `value`, for this reason.
#[track_caller]
fn unread<T: DeserializeOwned + Debug>(value: impl Serialize, reason: &str) {
    for protocol in ALL {
        assert_eq!(result(protocol, &value).unwrap().decode::<T>().unwrap_err(), reason, "{}", protocol.name());
    }
}

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
struct Meters(u16);

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
#[serde(rename_all = "lowercase")]
enum Side {
    Left,
    Right,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Unit;

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename_all = "lowercase")]
enum Shape {
    Point,
    Circle(f64),
    Box { w: u8, h: u8 },
    Line(u8, u8),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

fn map<const N: usize>(members: [(&str, i32); N]) -> Value {
    Value::map(members)
}

#[test]
fn keys_of_maps_are_text() {
    carried(&BTreeMap::from([(-3, 1), (7, 2)]), map([("-3", 1), ("7", 2)]));
    carried(&BTreeMap::from([(u128::MAX, 1)]), map([("340282366920938463463374607431768211455", 1)]));
    carried(&BTreeMap::from([(i64::MIN, 1)]), map([("-9223372036854775808", 1)]));
    carried(&BTreeMap::from([(Meters(4), 1)]), map([("4", 1)]));
    carried(&BTreeMap::from([(false, 1), (true, 2)]), map([("false", 1), ("true", 2)]));
    carried(&BTreeMap::from([(Side::Left, 1), (Side::Right, 2)]), map([("left", 1), ("right", 2)]));
    carried(&BTreeMap::from([('é', 1)]), map([("é", 1)]));
    carried(&BTreeMap::from([(Some("x".to_owned()), 1)]), map([("x", 1)]));
    carried(&BTreeMap::from([(Some(1_u8), 1)]), map([("1", 1)]));
}

#[test]
fn what_cannot_be_a_key_is_refused() {
    const REASON: &str = "a map key must be text, a number or a truth value";
    refused(BTreeMap::from([(None::<u8>, 1)]), REASON);
    refused(BTreeMap::from([((), 1)]), REASON);
    refused(BTreeMap::from([((1, 2), 1)]), REASON);
    refused(("x", BTreeMap::from([("m", BTreeMap::from([(vec![1], 1)]))])), &format!("`[1].m`: {REASON}"));
    unread::<BTreeMap<u8, u8>>(map([("300", 1)]), "invalid type: string \"300\", expected u8");
}

#[test]
fn integers_have_64_bits() {
    carried(&5_i128, 5);
    carried(&-5_i128, -5);
    carried(&u128::from(u64::MAX), u64::MAX);
    carried(&i128::from(i64::MIN), i64::MIN);
    carried(&Some(vec![1_u128 << 63]), vec![Value::from(1_u64 << 63)]);
    let reason = |number: &str| format!("the integer {number} does not fit into 64 bits; send it as text");
    refused(u128::from(u64::MAX) + 1, &reason("18446744073709551616"));
    refused(i128::from(i64::MIN) - 1, &reason("-9223372036854775809"));
    #[derive(Serialize)]
    struct Entry {
        id: i128,
    }
    #[derive(Serialize)]
    enum Kept {
        One(Entry),
        Two(u8, Entry),
        Three { entries: Vec<Entry> },
    }
    let ids = |ids: [i128; 2]| ids.map(|id| Entry { id }).into();
    let place = |place: &str| format!("`{place}`: {}", reason("-170141183460469231731687303715884105728"));
    refused(BTreeMap::from([("a b", Kept::Three { entries: ids([1, i128::MIN]) })]), &place("[\"a b\"].Three.entries[1].id"));
    refused((1, Kept::Two(1, Entry { id: i128::MIN })), &place("[1].Two[1].id"));
    refused(BTreeMap::from([(7, Kept::One(Entry { id: i128::MIN }))]), &place("7.One.id"));
    let arguments = (1, vec![Entry { id: i128::MIN }]);
    for protocol in ALL {
        let parts = Parts { positional: Some(&arguments), named: None };
        let Err(error) = protocol.draft(Target::Method("m"), parts) else { panic!("{}", protocol.name()) };
        assert_eq!(error.0, place("[1][0].id"), "{}", protocol.name());
    }
}

#[test]
fn units_enums_and_maps_of_unknown_length_are_alike() {
    carried(&Unit, Value::Null);
    carried(&(), Value::Null);
    carried(&Shape::Point, "point");
    carried(&Shape::Circle(1.5), Value::map([("circle", 1.5)]));
    carried(&Shape::Box { w: 1, h: 2 }, Value::map([("box", map([("w", 1), ("h", 2)]))]));
    carried(&Shape::Line(3, 4), Value::map([("line", Value::from(vec![3.into(), 4.into()]))]));
    for members in [0, 1, 20, 70_000] {
        let rest: BTreeMap<_, _> = (0..members).map(|n| (format!("k{n:05}"), Value::from(n))).collect();
        let untyped = std::iter::once(("a".to_owned(), Value::from(7))).chain(rest.clone());
        let untyped = Value::map(untyped);
        carried(&Flat { a: 7, rest }, untyped);
    }
}

#[test]
fn values_that_do_not_fit_are_told_in_the_same_words() {
    unread::<u64>("5", "invalid type: string \"5\", expected u64");
    unread::<u8>(300, "invalid value: integer `300`, expected u8");
    unread::<u64>(1.5, "invalid type: floating point `1.5`, expected u64");
    unread::<u64>((), "invalid type: unit value, expected u64");
    unread::<bool>(1, "invalid type: integer `1`, expected a boolean");
    unread::<String>(true, "invalid type: boolean `true`, expected a string");
    unread::<Vec<u8>>("x", "invalid type: string \"x\", expected a sequence");
    unread::<(u8, u8)>([1], "invalid length 1, expected a tuple of size 2");
    unread::<(u8, u8)>([1, 2, 3], "too many elements, expected fewer");
    unread::<Shape>(5, "invalid type: integer `5`, expected enum Shape");
    unread::<Shape>([1], "invalid type: sequence, expected enum Shape");
    unread::<Shape>("circle", "invalid type: unit variant, expected newtype variant");
    unread::<Shape>("round", "unknown variant `round`, expected one of `point`, `circle`, `box`, `line`");
    unread::<Attachment>(5, "invalid type: integer `5`, expected binary data");
    unread::<u8>(Attachment::from_static(b"abc"), "invalid type: byte array, expected u8");
    unread::<Meters>(Attachment::from_static(b"abc"), "invalid type: byte array, expected u16");
}

#[test]
fn binary_data_is_a_list_of_bytes_where_one_is_wanted() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Rgb(u8, u8, u8);
    #[derive(Deserialize, PartialEq, Debug)]
    struct Pixels {
        color: Rgb,
        list: Vec<u8>,
        four: [u8; 4],
        some: Option<Vec<f32>>,
    }
    let blob = |bytes: &'static [u8]| Value::from(Attachment::from_static(bytes));
    let parts = [("color", blob(b"\x01\x02\x03")), ("list", blob(b"")), ("four", blob(b"abcd")), ("some", blob(b"\x05"))];
    let pixels = Pixels { color: Rgb(1, 2, 3), list: vec![], four: *b"abcd", some: Some(vec![5.0]) };
    for protocol in ALL {
        assert_eq!(result(protocol, &Value::map(parts.clone())).unwrap().decode::<Pixels>().as_ref(), Ok(&pixels));
    }
}

fn argument<T: DeserializeOwned>(protocol: &dyn Protocol, kind: FrameKind, message: Bytes) -> Result<T, String> {
    let mut decoder = protocol.decoder(&Limits::default());
    decoder.authenticated();
    let (_, mut incoming) = decoder.next(kind, message).unwrap().unwrap();
    let span = incoming.arguments.positional[0];
    incoming.arguments.value(span).map_err(|error| error.to_string())
}

#[test]
fn keys_that_are_no_text_are_read_as_text() {
    fn read<T: DeserializeOwned>(map: &[u8]) -> Result<T, String> {
        let body = [&b"\x83\xa2id\xa1x\xa6method\xa1m\xa4args\x91"[..], map].concat();
        let len = u32::try_from(body.len()).unwrap().to_le_bytes();
        argument(V2, FrameKind::Binary, [&[1, 0, 0, 0, 0, 0, 0, 0], &len[..], &body].concat().into())
    }
    const MIXED: &[u8] = b"\x84\x01\x0a\xc3\x0b\xff\x0c\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\x0d";
    const MEMBERS: [(&str, i32); 4] = [("1", 10), ("true", 11), ("-1", 12), ("1.5", 13)];
    assert_eq!(read(MIXED), Ok(map(MEMBERS)));
    assert_eq!(read(MIXED), Ok(BTreeMap::from(MEMBERS.map(|(key, n)| (key.to_owned(), n)))));
    assert_eq!(read(b"\x82\x01\x0a\xa2-5\x0b"), Ok(BTreeMap::from([(1, 10), (-5, 11)])));
    for other in [&b"\x81\xc0\x01"[..], b"\x81\x90\x01", b"\x81\xc4\x01a\x01", b"\x81\xca\x7f\xc0\x00\x00\x01"] {
        assert_eq!(read::<Value>(other), Err("a map key must be text, a number or a truth value".to_owned()));
    }
}

#[test]
fn larger_integers_of_json_are_refused_where_an_integer_is_wanted() {
    let message = || Bytes::from_static(br#"{"id":"x","method":"m","args":[18446744073709551616]}"#);
    let wrong = "invalid value: integer `18446744073709551616`, expected";
    assert_eq!(argument::<u64>(V1, FrameKind::Text, message()), Err(format!("{wrong} u64")));
    assert_eq!(argument::<i128>(V1, FrameKind::Text, message()), Err(format!("{wrong} i128")));
    // As JavaScript writes 2^64, of whose type its readers know nothing.
    assert_eq!(argument(V1, FrameKind::Text, message()), Ok(18446744073709551616.0));
    assert_eq!(argument(V1, FrameKind::Text, message()), Ok(Value::Float(18446744073709551616.0)));
}
