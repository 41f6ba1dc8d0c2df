//! Messages, frames and what a client sees, as JSON that clients in any language can compare.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use wslink_core::{
    CallError, Value,
    session::{ClientEvent, Continuity, HelloError, SubscribeError},
    wire::{Body, Frame, FrameKind, Protocol},
};

use super::pair::payload;

/// Before each chunk of protocol 2.
const HEADER: usize = 12;

/// A frame: text, or bytes in hexadecimal digits. All messages of the suite are one chunk, whose random id does not matter.
pub(crate) fn frame(protocol: &dyn Protocol, frame: &Frame) -> Json {
    let mut bytes = payload(frame).to_vec();
    match frame.kind {
        FrameKind::Text => return json!({ "text": String::from_utf8(bytes).unwrap() }),
        FrameKind::Binary if protocol.name() == "v2" => bytes[..4].fill(0),
        FrameKind::Binary => {}
    }
    json!({ "hex": hex(&bytes) })
}

/// An event of the client's session, for which `name` knows calls and `label` knows subscriptions by their numbers.
pub(crate) fn event(event: ClientEvent, name: impl Fn(u64) -> String, label: impl Fn(u64) -> String) -> Option<Json> {
    Some(match event {
        ClientEvent::Welcome(Ok(_)) => json!({ "sees": "connected" }),
        ClientEvent::Welcome(Err(HelloError::Refused(why))) => json!({ "sees": "refused", "error": error(&why) }),
        ClientEvent::Reply(of, Ok(body)) => json!({ "sees": "result", "of": name(of), "value": value(&body) }),
        ClientEvent::Reply(of, Err(why)) => json!({ "sees": "error", "of": name(of), "error": error(&why) }),
        ClientEvent::Progress(of, body) => json!({ "sees": "progress", "of": name(of), "value": value(&body) }),
        ClientEvent::Subscribed(of, Ok(())) => json!({ "sees": "subscribed", "of": label(of) }),
        ClientEvent::Subscribed(of, Err(SubscribeError::Refused(why))) => {
            json!({ "sees": "refusal", "of": label(of), "error": error(&why) })
        }
        ClientEvent::Payload(of, Ok(body)) => json!({ "sees": "event", "of": label(of), "value": value(&body) }),
        ClientEvent::Ended(of) => json!({ "sees": "end", "of": label(of) }),
        ClientEvent::Reconnected(of, Continuity::Gap { missed }) => json!({ "sees": "gap", "of": label(of), "missed": missed }),
        ClientEvent::Reconnected(of, Continuity::Fresh) => json!({ "sees": "gap", "of": label(of), "missed": null }),
        ClientEvent::Reconnected(_, Continuity::Resumed) => return None,
        other => panic!("not part of the suite: {other:?}"),
    })
}

fn value(body: &Body) -> Json {
    plain(body.decode::<Value>().unwrap())
}

/// Integers beyond what numbers hold as `{"$integer": "…"}`, bytes as `{"$bytes": "…"}` in hexadecimal digits.
fn plain(value: Value) -> Json {
    let integer = |value: i128| match value.unsigned_abs() {
        0..=0x1f_ffff_ffff_ffff => json!(value),
        _ => json!({ "$integer": value.to_string() }),
    };
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Integer(value) => integer(value.into()),
        Value::Unsigned(value) => integer(value.into()),
        Value::Float(value) => json!(value),
        Value::Text(value) => json!(value),
        Value::Binary(value) => json!({ "$bytes": hex(&value) }),
        Value::List(values) => values.into_iter().map(plain).collect(),
        Value::Map(members) => Json::Object(members.into_iter().map(|(key, value)| (key, plain(value))).collect()),
    }
}

fn error(error: &CallError) -> Json {
    let data = error.data().map(|data| serde_json::to_value(data).unwrap());
    json!({ "code": error.code().number(), "message": error.message(), "data": data })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The message in a frame, if it is one that JSON holds.
pub(crate) fn message(frame: &Frame) -> Json {
    let bytes = payload(frame);
    match frame.kind {
        FrameKind::Text => serde_json::from_slice(&bytes).unwrap_or_default(),
        FrameKind::Binary => bytes.get(HEADER..).and_then(|packed| rmp_serde::from_slice(packed).ok()).unwrap_or_default(),
    }
}
