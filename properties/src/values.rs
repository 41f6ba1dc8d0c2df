//! Values: what is encoded decodes to the same, in both generations and directions.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;

use super::within;
use wslink_core::{
    Attachment, CallError, ErrorCode, Limits, Value,
    wire::{
        self, Content, Encoded, Frame, FrameKind, Outgoing, RequestId, Subject, WireVersion,
        message::{self, Body, ClientWire, Message, Parts, Received},
    },
};

/// Arguments arrive at the server, and results, progress, errors and events at the client, as they were sent.
pub fn values(data: &[u8]) {
    let _ = arrive(&mut Unstructured::new(data));
}

fn arrive(input: &mut Unstructured<'_>) -> Result<()> {
    let positional: Vec<Value> = (0..input.int_in_range(0..=8)?).map(|_| value(input, 0)).collect::<Result<_>>()?;
    let named = Value::Map((0..input.int_in_range(0..=3)?).map(|_| Ok((text(input)?, value(input, 0)?))).collect::<Result<_>>()?);
    let timeout: Option<u64> = input.arbitrary()?;
    let max_frame = input.int_in_range(13..=100_000)?;
    for (server, client) in GENERATIONS {
        request(server, client, &positional, &named, timeout, max_frame);
        reply(server, client, &Value::List(positional.clone()));
        reply(server, client, &named);
    }
    Ok(())
}

/// Both ends of every generation.
pub(super) const GENERATIONS: [(FrameKind, &dyn ClientWire); 2] =
    [(FrameKind::Text, message::FIRST), (FrameKind::Binary, message::SECOND)];

fn request(
    server: FrameKind,
    client: &dyn ClientWire,
    positional: &Vec<Value>,
    named: &Value,
    timeout: Option<u64>,
    max_frame: usize,
) {
    let parts = Parts { positional: Some(positional), named: Some(named) };
    let sent = client.draft("a.method", parts).unwrap().seal("rpc:c0:1", timeout, max_frame);
    let mut decoder = wire::detect(server).decoder(&Limits::default());
    decoder.authenticated();
    let mut came = Vec::new();
    for frame in sent.frames() {
        assert!(server == FrameKind::Text || frame.len() <= max_frame);
        came.extend(decoder.next(frame.kind, payload(frame)).unwrap());
    }
    let [request] = &mut came[..] else { panic!("{} requests of one", came.len()) };
    assert_eq!(request.method(), Some(&b"a.method"[..]));
    assert_eq!(request.timeout.map(|timeout| timeout.as_millis()), timeout.map(u128::from));
    let arguments = &mut request.arguments;
    for (span, sent) in arguments.positional.clone().into_iter().zip(positional) {
        assert_same(&arguments.value(span).unwrap(), sent);
    }
    let came = arguments.named.clone().into_iter().map(|(key, span)| {
        let key: String = arguments.value(key).unwrap();
        (key, arguments.value(span).unwrap())
    });
    assert_same(&Value::Map(came.collect()), named);
}

/// Whatever `value` is sent in arrives at a client.
pub(super) fn reply(server: FrameKind, client: &dyn ClientWire, value: &Value) {
    let wire = wire::detect(server);
    let id = RequestId::new(match server {
        FrameKind::Text => b"\"rpc:c0:1\"",
        FrameKind::Binary => b"\xa8rpc:c0:1",
    });
    let error = CallError::new(ErrorCode::from_number(7), "why").with_data(value.clone());
    for content in [Content::Result(value), Content::Progress(value), Content::Error(&error), Content::End] {
        for subject in [Subject::Reply(&id), Subject::Event { topic: "a.topic", subscription: Some(9) }] {
            let is_event = matches!(subject, Subject::Event { .. });
            let content = match &content {
                Content::Result(value) => Content::Result(*value),
                Content::Progress(value) => Content::Progress(*value),
                Content::Error(error) => Content::Error(error),
                Content::End => Content::End,
            };
            let message = sent(wire, client, &Outgoing { subject, content });
            assert_eq!(message.id, if is_event { "publish:a.topic:0" } else { "rpc:c0:1" });
            assert_eq!(message.subscription, is_event.then_some(9));
            match message.content {
                Received::Result(body) | Received::Progress(body) => assert_same(&decoded(&body), value),
                Received::Error(body) => assert_same(decoded(&body).get("data").unwrap(), value),
                Received::End => {}
            }
        }
    }
}

fn sent(wire: &dyn WireVersion, client: &dyn ClientWire, message: &Outgoing<'_>) -> Message {
    let encoded = wire.encode(message).unwrap();
    let mut messages = client.messages(&Limits::default());
    let came = frames(&encoded).filter_map(|(kind, frame)| messages.decode(kind, frame).unwrap());
    let [message] = <[Message; 1]>::try_from(came.collect::<Vec<_>>()).unwrap();
    message
}

fn decoded(body: &Body) -> Value {
    body.decode().unwrap()
}

fn frames(encoded: &Encoded) -> impl Iterator<Item = (FrameKind, Bytes)> {
    encoded.frames().iter().map(|frame| (frame.kind, payload(frame)))
}

fn payload(frame: &Frame) -> Bytes {
    [&*frame.head, &*frame.body].concat().into()
}

/// Values of any shape, and not so deep that they would be refused.
fn value(input: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    let kinds = if depth < 6 { 8 } else { 6 };
    Ok(match input.int_in_range(0..=kinds)? {
        0 => Value::Null,
        1 => input.arbitrary::<bool>()?.into(),
        2 => input.arbitrary::<i64>()?.into(),
        3 => input.arbitrary::<u64>()?.into(),
        4 => input.arbitrary::<f64>()?.into(),
        5 => text(input)?.into(),
        6 => {
            // Around what is shared instead of copied, and what is cut.
            let sizes = [0, 1, 255, 256, 1023, 1024, 8191, 8192, 8193, 40_000];
            Attachment::new(vec![input.arbitrary()?; *input.choose(&sizes)?]).into()
        }
        7 => Value::List((0..input.int_in_range(0..=5)?).map(|_| value(input, depth + 1)).collect::<Result<_>>()?),
        _ => Value::Map(
            (0..input.int_in_range(0..=4)?).map(|_| Ok((text(input)?, value(input, depth + 1)?))).collect::<Result<_>>()?,
        ),
    })
}

/// Text that is not the key of an attachment, which cannot be told from one in the first generation.
fn text(input: &mut Unstructured<'_>) -> Result<String> {
    let text = input.arbitrary::<&str>()?;
    Ok(text.replace("wslink_bin", "wslink"))
}

/// NaN being the same as NaN.
pub(super) fn assert_same(came: &Value, sent: &Value) {
    fn same(a: &Value, b: &Value) -> bool {
        match (a, b) {
            (Value::Float(a), Value::Float(b)) => {
                a == b && a.is_sign_negative() == b.is_sign_negative() || a.is_nan() && b.is_nan()
            }
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
            (Value::Map(a), Value::Map(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1)),
            (a, b) => a == b,
        }
    }
    assert!(same(came, sent), "{came:?} came of {sent:?}");
}

/// The value that `decode` finds in `bytes` bytes. An untyped value costs more than its bytes: each of a
/// list of nulls has one, and the size of a [`Value`] in memory.
pub(super) fn untyped<E>(bytes: usize, decode: impl FnOnce() -> std::result::Result<Value, E>) -> Option<Value> {
    const EACH: usize = 3 * size_of::<(String, Value)>();
    within(EACH, bytes, decode).ok()
}
