//! Values: what is encoded decodes to the same, in both protocols and directions.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;

use wslink_core::{
    Attachment, CallError, ErrorCode, Limits, Value,
    wire::{
        self, Body, Content, Encoded, Frame, FrameKind, Incoming, Message, MessageId, Outgoing, Parts, Protocol, Received,
        Subject, Target,
    },
};

use super::{authenticated, next, within};

/// Arguments arrive at the server, and results, progress, errors and events at the client, as they were sent.
pub fn values(data: &[u8]) {
    let _ = arrive(&mut Unstructured::new(data));
}

fn arrive(input: &mut Unstructured<'_>) -> Result<()> {
    let positional: Vec<Value> = (0..input.int_in_range(0..=8)?).map(|_| value(input, 0)).collect::<Result<_>>()?;
    let named = Value::Map((0..input.int_in_range(0..=3)?).map(|_| Ok((text(input)?, value(input, 0)?))).collect::<Result<_>>()?);
    let timeout: Option<u64> = input.arbitrary()?;
    let max_frame = input.int_in_range(13..=100_000)?;
    for protocol in wire::ALL {
        request(protocol, &positional, &named, timeout, max_frame);
        reply(protocol, &Value::List(positional.clone()));
        reply(protocol, &named);
    }
    Ok(())
}

fn request(protocol: &dyn Protocol, positional: &Vec<Value>, named: &Value, timeout: Option<u64>, max_frame: usize) {
    let parts = Parts { positional: Some(positional), named: Some(named) };
    let sent = protocol.draft(Target::Method("a.method"), parts).unwrap().seal(1, timeout, max_frame);
    let mut decoder = authenticated(protocol, &Limits::default());
    let mut came = Vec::new();
    for frame in sent.frames() {
        assert!(protocol.first_frame() == FrameKind::Text || frame.len() <= max_frame);
        came.extend(next(&mut *decoder, frame.kind, payload(frame)).unwrap());
    }
    let [(Message::Call, request)] = &mut came[..] else { panic!("{} requests of one", came.len()) };
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

/// A value arrives at a client, whatever message carries it.
pub(super) fn reply(protocol: &dyn Protocol, value: &Value) {
    let id = MessageId::new(match protocol.first_frame() {
        FrameKind::Text => &b"\"rpc:7\""[..],
        FrameKind::Binary => b"\xa5rpc:7",
    });
    let error = CallError::new(ErrorCode::from_number(7), "why").with_data(value.clone());
    for number in 0..4 {
        for is_event in [false, true] {
            let content = match number {
                0 => Content::Result(value),
                1 => Content::Progress(value),
                2 => Content::Error(&error),
                _ => Content::End,
            };
            let subject = if is_event { Subject::Event { topic: "a.topic", subscription: Some(9) } } else { Subject::Reply(&id) };
            let (message, mut came) = sent(protocol, &Outgoing { subject, content });
            let content = match (message, is_event) {
                (Message::Reply { number: 7, content }, false) => content,
                (Message::Event { topic, subscription: Some(9), content }, true) if topic == "a.topic" => content,
                (message, _) => panic!("{message:?}"),
            };
            match content {
                Received::Result(span) | Received::Progress(span) => assert_same(&decoded(&came.body(span)), value),
                Received::Error(span) => assert_same(decoded(&came.body(span)).get("data").unwrap(), value),
                Received::End => {}
            }
        }
    }
}

fn sent(protocol: &dyn Protocol, message: &Outgoing<'_>) -> (Message, Incoming) {
    let encoded = protocol.encode(message).unwrap();
    let mut decoder = authenticated(protocol, &Limits::default());
    let came = frames(&encoded).filter_map(|(kind, frame)| next(&mut *decoder, kind, frame).unwrap());
    let [message] = <[_; 1]>::try_from(came.collect::<Vec<_>>()).unwrap_or_else(|came| panic!("{} messages", came.len()));
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

/// Text that is not the key of an attachment, which cannot be told from one in protocol 1.
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
