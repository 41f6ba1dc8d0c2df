//! Messages as they come: requests at the server, and what a server says at the client.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use wslink_core::{
    Attachment, Limits, Value,
    wire::{self, Arguments, Content, FrameKind, Incoming, Message, Outgoing, Protocol, Span, Subject, V1, V2},
};

use super::{
    authenticated, next,
    values::{assert_same, reply, untyped},
    within,
};

/// Messages of a client of protocol 1: frames with `0xff` between them, which begin with `0xfe` when they are binary.
pub fn requests_v1(data: &[u8]) {
    let mut decoder = authenticated(V1, &Limits::default());
    let mut held = 0;
    for (kind, frame) in frames(data) {
        held += frame.len();
        match within(4, held, || next(&mut *decoder, kind, frame)) {
            Ok(Some((message, incoming))) => of_message(V1, &message, incoming),
            Ok(None) => {}
            Err(_) => return,
        }
    }
}

/// A message of a client of protocol 2.
pub fn requests_v2(data: &[u8]) {
    let mut decoder = authenticated(V2, &Limits::default());
    if let Ok(Some((message, incoming))) = within(4, data.len(), || next(&mut *decoder, FrameKind::Binary, whole(data))) {
        of_message(V2, &message, incoming);
    }
}

/// Messages of a server of protocol 1, in the form of [`requests_v1`].
pub fn messages_v1(data: &[u8]) {
    requests_v1(data);
}

/// A message of a server of protocol 2.
pub fn messages_v2(data: &[u8]) {
    requests_v2(data);
}

fn frames(data: &[u8]) -> impl Iterator<Item = (FrameKind, Bytes)> {
    data.split(|byte| *byte == 0xff).map(|frame| match frame.strip_prefix(b"\xfe") {
        Some(binary) => (FrameKind::Binary, Bytes::copy_from_slice(binary)),
        None => (FrameKind::Text, Bytes::copy_from_slice(frame)),
    })
}

/// The one chunk of a message.
fn whole(data: &[u8]) -> Bytes {
    let len = u32::try_from(data.len()).unwrap();
    [&[0; 8], &len.to_le_bytes()[..], data].concat().into()
}

fn of_message(protocol: &'static dyn Protocol, message: &Message, mut incoming: Incoming) {
    if let Message::Reply { content, .. } | Message::Event { content, .. } = message {
        if let Some(span) = content.span() {
            of_content(&mut incoming, span);
        }
        return;
    }
    if let Some(id) = &incoming.id {
        let text = protocol.id_text(id);
        assert_eq!(incoming.system, text.as_ref().is_some_and(|id| id.starts_with("system:")), "{text:?}");
        // An echoed id makes no other message of the reply.
        let outgoing = Outgoing { subject: Subject::Reply(id), content: Content::Result(&7) };
        let encoded = protocol.encode(&outgoing).unwrap();
        let [frame] = encoded.frames() else { panic!("{} frames", encoded.frames().len()) };
        let mut decoder = authenticated(protocol, &Limits::default());
        if let Some((Message::Reply { content, .. }, mut came)) = next(&mut *decoder, frame.kind, frame.head.clone()).unwrap() {
            assert_eq!(came.body(content.span().unwrap()).decode::<u8>(), Ok(7));
        }
    }
    let arguments = &mut incoming.arguments;
    let spans: Vec<Span> =
        arguments.positional.iter().copied().chain(arguments.named.iter().flat_map(|&(key, value)| [key, value])).collect();
    for span in spans {
        of_argument(protocol.first_frame(), arguments, span);
    }
}

fn of_argument(kind: FrameKind, arguments: &mut Arguments, span: Span) {
    let raw = arguments.body.slice(span.range());
    let has_attachments = arguments.attachments.is_some();
    let uploaded: usize = arguments.attachments.iter().flatten().map(|(_, bytes)| bytes.len()).sum();
    let value = untyped(raw.len() + uploaded, || arguments.value::<Value>(span));
    if kind == FrameKind::Text && !has_attachments {
        as_serde_json(&raw, value.as_ref());
    }
    numbers(arguments, span, value.as_ref());
    let _ = arguments.value::<Shape>(span);
    let _ = arguments.value::<BTreeMap<u16, f64>>(span);
    let _ = arguments.value::<Attachment>(span);
    if let Some(value) = value {
        for protocol in wire::ALL {
            reply(protocol, &value);
        }
    }
}

/// What serde_json reads is read the same, and what it does not read has a word of our own in it.
fn as_serde_json(raw: &[u8], value: Option<&Value>) {
    let text = std::str::from_utf8(raw).unwrap();
    match (serde_json::from_str::<Value>(text), value) {
        (Ok(theirs), Some(ours)) => assert_same(ours, &theirs),
        (Ok(theirs), None) => panic!("{text} is {theirs:?}"),
        (Err(error), Some(ours)) => {
            assert!(["NaN", "Infinity"].iter().any(|word| text.contains(word)), "{text} is no {ours:?}: {error}");
        }
        (Err(_), None) => {}
    }
}

/// A number is taken where it fits and nowhere else.
fn numbers(arguments: &mut Arguments, span: Span, value: Option<&Value>) {
    let number = match value {
        Some(Value::Integer(number)) => Some(i128::from(*number)),
        Some(Value::Unsigned(number)) => Some(i128::from(*number)),
        _ => None,
    };
    macro_rules! fits {
        ($($integer:ty)*) => {$(
            let expected = number.and_then(|number| <$integer>::try_from(number).ok());
            assert_eq!(arguments.value::<$integer>(span).ok(), expected, "{value:?}");
        )*};
    }
    fits!(u8 i8 u16 i16 u32 i32 u64 i64);
}

fn of_content(incoming: &mut Incoming, span: Span) {
    let body = incoming.body(span);
    let value = untyped(body.size(), || body.decode::<Value>());
    let _ = body.decode::<Shape>();
    let _ = body.decode::<BTreeMap<u16, f64>>();
    let _ = body.decode::<Attachment>();
    if let Some(value) = value.filter(|value| !mentions_key(value)) {
        for protocol in wire::ALL {
            reply(protocol, &value);
        }
    }
}

/// In protocol 1 a text may be the key of an attachment of the same message by accident.
fn mentions_key(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.contains("wslink_bin"),
        Value::List(items) => items.iter().any(mentions_key),
        Value::Map(members) => members.iter().any(|(_, value)| mentions_key(value)),
        _ => false,
    }
}

/// Asks a deserializer for all it has.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "only deserialised")]
enum Shape {
    Point,
    Text(String),
    Pair(u8, Option<char>),
    Box { w: u16, h: f32, rest: Vec<Shape> },
}
