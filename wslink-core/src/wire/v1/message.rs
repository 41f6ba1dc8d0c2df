//! The client's side of the first generation: JSON requests out, JSON messages in.

use std::collections::HashMap;

use bytes::Bytes;

use super::{
    super::{
        Encoded, FrameKind, Unserialisable, Violation,
        message::{Body, ClientWire, Draft, Found, FoundContent, Message, MessageDecoder, Parts},
    },
    ANNOUNCEMENT, TextDecoder, V1, frames,
    json::{self, Cursor},
    next_key,
};
use crate::Limits;

const MALFORMED: Violation = Violation::malformed("not a JSON message");

impl ClientWire for V1 {
    fn draft(&self, method: &str, arguments: Parts<'_>) -> Result<Box<dyn Draft>, Unserialisable> {
        write(method, arguments).map(|draft| Box::new(draft) as Box<dyn Draft>).map_err(|error| Unserialisable(error.to_string()))
    }

    fn messages(&self, limits: &Limits) -> Box<dyn MessageDecoder> {
        Box::new(TextMessages { frames: TextDecoder::new(limits), max_message: limits.message_bytes })
    }
}

/// An object whose last members and closing brace are missing.
#[derive(Clone)]
struct TextDraft {
    text: Vec<u8>,
    attachments: Vec<(String, Bytes)>,
}

fn write(method: &str, arguments: Parts<'_>) -> Result<TextDraft, json::Error> {
    let mut writer = json::Writer::new(next_key).without_sharing();
    writer.raw(br#"{"wslink":"1.0","method":"#);
    writer.json(method)?;
    for (name, opening, value) in
        [(&br#","args":"#[..], b'[', arguments.positional), (&br#","kwargs":"#[..], b'{', arguments.named)]
    {
        let Some(value) = value else { continue };
        writer.raw(name);
        let start = writer.len();
        erased_serde::serialize(value, &mut writer)?;
        if writer.byte(start) != Some(opening) {
            return Err(serde::ser::Error::custom("arguments must be a list, named ones a map"));
        }
    }
    let (text, attachments) = writer.finish();
    Ok(TextDraft { text, attachments })
}

impl Draft for TextDraft {
    fn seal(mut self: Box<Self>, id: &str, timeout_ms: Option<u64>, _max_frame: usize) -> Encoded {
        // Ids are ours: nothing in them needs to be escaped.
        self.text.extend_from_slice(format!(r#","id":"{id}""#).as_bytes());
        if let Some(timeout) = timeout_ms {
            self.text.extend_from_slice(format!(r#","timeout_ms":{timeout}"#).as_bytes());
        }
        self.text.push(b'}');
        frames(self.text, self.attachments)
    }

    fn again(&self) -> Box<dyn Draft> {
        Box::new(self.clone())
    }
}

/// Frames → attachments and messages.
struct TextMessages {
    frames: TextDecoder,
    max_message: usize,
}

impl MessageDecoder for TextMessages {
    fn decode(&mut self, kind: FrameKind, payload: Bytes) -> Result<Option<Message>, Violation> {
        if payload.len() > self.max_message {
            return Err(Violation::too_large("message too large"));
        }
        if kind == FrameKind::Binary {
            return self.frames.upload(payload).map(|()| None);
        }
        let text = std::str::from_utf8(&payload).map_err(|_| MALFORMED)?;
        let (found, announced) = scan(text).ok_or(MALFORMED)?;
        if !announced.is_empty() {
            return self.frames.announce(announced).map(|()| None);
        }
        let mut attachments = HashMap::new();
        if let Some(span) = found.content.and_then(FoundContent::span).filter(|_| self.frames.has_uploads()) {
            self.frames.take_mentioned(&payload[span.range()], &mut attachments);
        }
        Ok(found.message(|span| Body { message: payload.clone(), span, attachments: attachments.clone(), format: &json::Json }))
    }
}

/// The parts of a message, or the keys that it announces.
fn scan(text: &str) -> Option<(Found, Vec<String>)> {
    let mut cursor = Cursor::new(text);
    let mut found = Found::default();
    let (mut announces, mut keys) = (false, Vec::new());
    cursor.members(|cursor, key| {
        let key = key.decode()?;
        if key == "args" && cursor.peek() == Some(b'[') {
            return cursor.items(|cursor| {
                let raw = cursor.skip()?.range();
                keys.extend(json::text_at(&text[raw]).map(std::borrow::Cow::into_owned));
                Some(())
            });
        }
        let span = cursor.skip()?;
        let raw = &text[span.range()];
        match &*key {
            "id" => found.id = json::text_at(raw).map(std::borrow::Cow::into_owned),
            "sub" => found.subscription = raw.parse().ok(),
            "method" => announces = json::text_at(raw).is_some_and(|method| method == ANNOUNCEMENT),
            key => found.content = FoundContent::of(key, span).or(found.content),
        }
        Some(())
    })?;
    cursor.end()?;
    if found.id.is_some() || !announces {
        keys.clear();
    }
    Some((found, keys))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attachment, wire::message::Received};

    fn text(frame: &super::super::Frame) -> &str {
        std::str::from_utf8(&frame.head).unwrap()
    }

    #[test]
    fn a_request_has_a_key_for_every_attachment() {
        let blob = Attachment::new(vec![7; 9000]);
        let positional = (1, &blob, &blob);
        let named = crate::Value::map([("n", f64::NAN)]);
        let draft = V1.draft("a.b", Parts { positional: Some(&positional), named: Some(&named) }).unwrap();
        let encoded = draft.again().seal("rpc:1", Some(50), usize::MAX);
        let frames = encoded.frames();
        assert_eq!(frames.len(), 5);
        assert_eq!(frames[1].body.as_ptr(), blob.as_ptr(), "not copied");
        assert_ne!(frames[0], frames[2], "a server takes a key for its attachment once");
        let mut decoder = super::super::super::WireVersion::decoder(&V1, &Limits::default());
        decoder.authenticated();
        let mut requests = frames.iter().filter_map(|frame| {
            let payload = Bytes::from([&*frame.head, &*frame.body].concat());
            decoder.next(frame.kind, payload).unwrap()
        });
        let mut request = requests.next().unwrap();
        assert_eq!(request.id.as_ref().unwrap().as_bytes(), b"\"rpc:1\"");
        let spans = request.arguments.positional.clone();
        assert_eq!(request.arguments.value::<Attachment>(spans[2]).unwrap(), blob);
        assert!(text(&frames[4]).ends_with(r#","kwargs":{"n":NaN},"id":"rpc:1","timeout_ms":50}"#), "{}", text(&frames[4]));
    }

    #[test]
    fn arguments_that_are_no_list_are_refused() {
        assert!(V1.draft("m", Parts { positional: Some(&5), named: None }).is_err());
        assert!(V1.draft("m", Parts { positional: None, named: Some(&(1, 2)) }).is_err());
    }

    #[test]
    fn a_message_may_show_an_attachment_twice() {
        let mut decoder = V1.messages(&Limits::default());
        let mut next = |kind, bytes: &'static str| decoder.decode(kind, Bytes::from_static(bytes.as_bytes())).unwrap();
        assert!(next(FrameKind::Text, r#"{"method":"wslink.binary.attachment","args":["wslink_bin1"]}"#).is_none());
        assert!(next(FrameKind::Binary, "bytes").is_none());
        let event = r#"{"id":"publish:t:0","sub":3,"result":["wslink_bin1",{"again":"wslink_bin1"}]}"#;
        let message = next(FrameKind::Text, event).unwrap();
        assert_eq!((message.id.as_str(), message.subscription), ("publish:t:0", Some(3)));
        let Received::Result(body) = message.content else { panic!("{message:?}") };
        let value: crate::Value = body.decode().unwrap();
        let blob = crate::Value::from(Attachment::from_static(b"bytes"));
        assert_eq!(value, crate::Value::List(vec![blob.clone(), crate::Value::map([("again", blob)])]));
        assert!(next(FrameKind::Text, r#"{"id":"x","later":1}"#).is_none(), "what is unknown is passed over");
        assert!(decoder.decode(FrameKind::Text, Bytes::from_static(b"[]")).is_err());
    }
}
