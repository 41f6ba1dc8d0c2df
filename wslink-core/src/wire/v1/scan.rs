//! Finds the parts of a JSON message without building anything from it.
//!
//! Checks the structure only; values are checked when they are deserialised.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;

use super::{
    super::{Arguments, Incoming, MAX_ARGUMENTS, MessageId, MethodName, Received, Span, Violation, incoming::TOO_MANY, names},
    json::{self, Cursor},
};

/// An id is echoed with every reply, so it may not be large.
const MAX_ID: usize = 1024;

const MALFORMED: Violation = Violation::malformed("not a JSON message");

/// Fills `incoming`, which is blank, with the parts of `message`.
pub(super) fn message(message: Bytes, incoming: &mut Incoming) -> Result<(), Violation> {
    let Incoming { id, system, method, arguments, timeout, content, subscription } = incoming;
    let Arguments { body, positional, named, .. } = arguments;
    *body = message;
    let text = std::str::from_utf8(body).map_err(|_| MALFORMED)?;
    let mut cursor = Cursor::new(text);
    cursor
        .members(|cursor, key| {
            match &*key.decode()? {
                "args" if cursor.peek() == Some(b'[') => {
                    positional.clear();
                    cursor.items(|cursor| {
                        let value = cursor.skip()?;
                        (positional.len() < MAX_ARGUMENTS).then(|| positional.push(value))
                    })?;
                }
                "kwargs" if cursor.peek() == Some(b'{') => {
                    named.clear();
                    cursor.members(|cursor, key| {
                        let value = cursor.skip()?;
                        (named.len() < MAX_ARGUMENTS).then(|| named.push((key.span(), value)))
                    })?;
                }
                "id" => {
                    let raw = cursor.skip()?.range();
                    if &text[raw.clone()] != "null" {
                        let decoded = json::text_at(&text[raw.clone()]);
                        *system = decoded.is_some_and(|id| names::is_system(id.as_bytes()));
                        *id = Some(MessageId::new(text[raw].as_bytes()));
                    }
                }
                "method" => {
                    let raw = cursor.skip()?.range();
                    *method = json::text_at(&text[raw.clone()]).map(|name| match name {
                        // Between its quotes.
                        Cow::Borrowed(_) => MethodName::Verbatim(Span::new(raw.start + 1, raw.end - 1)),
                        Cow::Owned(name) => MethodName::Decoded(name),
                    });
                }
                "timeout_ms" => {
                    let raw = cursor.skip()?.range();
                    *timeout = text[raw].parse().ok().map(Duration::from_millis);
                }
                "sub" => {
                    let raw = cursor.skip()?.range();
                    *subscription = text[raw].parse().ok();
                }
                key => {
                    let span = cursor.skip()?;
                    *content = Received::of(key.as_bytes(), span).or(*content);
                }
            }
            Some(())
        })
        .ok_or_else(|| if positional.len().max(named.len()) == MAX_ARGUMENTS { TOO_MANY } else { MALFORMED })?;
    cursor.end().ok_or(MALFORMED)?;
    if id.as_ref().is_some_and(|id| id.as_bytes().len() > MAX_ID + 2) {
        return Err(Violation::policy("request id too long"));
    }
    Ok(())
}

/// The keys that an announcement lists.
pub(super) fn announced_keys(arguments: &mut Arguments) -> Vec<String> {
    let spans = std::mem::take(&mut arguments.positional);
    spans.into_iter().filter_map(|span| arguments.value(span).ok()).collect()
}

/// Every text in `json` that may be the key of an attachment.
pub(super) fn attachment_keys(json: &[u8]) -> impl Iterator<Item = &str> {
    const OPENING: &[u8] = b"\"wslink_bin";
    memchr::memmem::find_iter(json, OPENING).filter_map(|at| {
        let rest = &json[at + 1..];
        let end = memchr::memchr(b'"', rest)?;
        std::str::from_utf8(&rest[..end]).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: impl Into<Bytes>) -> Result<Incoming, Violation> {
        let mut parsed = Incoming::blank(&json::Json);
        message(text.into(), &mut parsed).map(|()| parsed)
    }

    #[test]
    fn finds_every_part() {
        let mut request =
            parse(r#" {"wslink":"1.0","id":"system:c0:0","method":"a\u002eb","args":[ 1 ,{"x":[2,"]"]}],"kwargs":{"k\n":NaN}} "#)
                .unwrap();
        assert!(request.system);
        assert_eq!(request.id.as_ref().unwrap().as_bytes(), b"\"system:c0:0\"");
        assert_eq!(request.method(), Some(&b"a.b"[..]));
        let (first, (key, value)) = (request.arguments.positional[0], request.arguments.named[0]);
        assert_eq!(request.arguments.value::<u8>(first).unwrap(), 1);
        assert_eq!(request.arguments.value::<String>(key).unwrap(), "k\n");
        assert!(request.arguments.value::<f64>(value).unwrap().is_nan());
    }

    #[test]
    fn a_wrong_shape_counts_as_no_arguments() {
        let request = parse(r#"{"id":null,"args":{"a":1},"kwargs":[1],"method":5}"#).unwrap();
        assert!(request.id.is_none() && request.method.is_none());
        assert!(request.arguments.positional.is_empty() && request.arguments.named.is_empty());
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["{not json", "", "[]", "5", "{}x", "{\"a\":1,}", "{\"a\"}", "{\"a\":[1}", "{\"a\":\"", "{\"args\":[1,]}"] {
            assert_eq!(parse(text).unwrap_err(), MALFORMED, "{text}");
        }
        let deep = format!("{{\"args\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(parse(deep).unwrap_err(), MALFORMED);
    }

    #[test]
    fn places_of_arguments_are_bounded() {
        let list = format!("{{\"args\":[0{}]}}", ",0".repeat(65_536));
        assert_eq!(parse(list).unwrap_err(), TOO_MANY);
        let map = format!("{{\"kwargs\":{{\"\":0{}}}}}", ",\"\":0".repeat(65_536));
        assert_eq!(parse(map).unwrap_err(), TOO_MANY);
    }
}
