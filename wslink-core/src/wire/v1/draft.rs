//! Requests of a client of protocol 1, as JSON objects whose last members are added when they are sent.

use bytes::Bytes;

use super::{
    super::{Draft, Encoded, Parts, Target, Unserializable, names},
    frames, json, next_key, written,
};
use crate::codec::Error;

pub(super) fn draft(target: Target<'_>, arguments: Parts<'_>) -> Result<Box<dyn Draft>, Unserializable> {
    let json::Written { text, attachments } =
        written(|| json::Writer::new(next_key).without_sharing(), |writer| write(writer, target, arguments))?;
    Ok(Box::new(TextDraft { text, attachments, id_prefix: names::id_prefix(target) }))
}

/// An object whose last members and closing brace are missing.
#[derive(Clone)]
struct TextDraft {
    text: Vec<u8>,
    attachments: Vec<(String, Bytes)>,
    id_prefix: &'static str,
}

fn write(writer: &mut json::Writer, target: Target<'_>, arguments: Parts<'_>) -> Result<(), Error> {
    writer.raw(br#"{"wslink":"1.0","method":"#);
    writer.json(names::method(target))?;
    if let Target::Cancel(number) = target {
        writer.raw(br#","args":"#);
        return writer.json(&[names::call_id(number)]);
    }
    for (name, opening, value) in
        [(&br#","args":"#[..], b'[', arguments.positional), (&br#","kwargs":"#[..], b'{', arguments.named)]
    {
        let Some(value) = value else { continue };
        writer.raw(name);
        let start = writer.len();
        writer.value(value)?;
        if writer.byte(start) != Some(opening) {
            return Err(Error::new("arguments must be a list, named ones a map"));
        }
    }
    Ok(())
}

impl Draft for TextDraft {
    fn seal(mut self: Box<Self>, number: u64, timeout_ms: Option<u64>, _max_frame: usize) -> Encoded {
        // Ids are ours: nothing in them needs to be escaped.
        self.text.extend_from_slice(format!(r#","id":"{}{number}""#, self.id_prefix).as_bytes());
        if let Some(timeout) = timeout_ms {
            self.text.extend_from_slice(format!(r#","timeout_ms":{timeout}"#).as_bytes());
        }
        self.text.push(b'}');
        frames(self.text, self.attachments)
    }

    fn copy(&self) -> Box<dyn Draft> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{Frame, FrameKind, Message, V1},
        *,
    };
    use crate::{Attachment, Limits};

    fn text(frame: &Frame) -> &str {
        std::str::from_utf8(&frame.head).unwrap()
    }

    #[test]
    fn a_request_has_a_key_for_every_attachment() {
        let blob = Attachment::new(vec![7; 9000]);
        let positional = (1, &blob, &blob);
        let named = crate::Value::map([("n", f64::NAN)]);
        let draft = V1.draft(Target::Method("a.b"), Parts { positional: Some(&positional), named: Some(&named) }).unwrap();
        let encoded = draft.copy().seal(1, Some(50), usize::MAX);
        let frames = encoded.frames();
        assert_eq!(frames.len(), 5);
        assert_eq!(frames[1].body.as_ptr(), blob.as_ptr(), "not copied");
        assert_ne!(frames[0], frames[2], "a server takes a key for its attachment once");
        let mut decoder = V1.decoder(&Limits::default());
        decoder.authenticated();
        let mut requests = frames.iter().filter_map(|frame| {
            let payload = Bytes::from([&*frame.head, &*frame.body].concat());
            decoder.next(frame.kind, payload).unwrap()
        });
        let (message, mut request) = requests.next().unwrap();
        assert_eq!(message, Message::Call);
        assert_eq!(request.id.as_ref().unwrap().as_bytes(), b"\"rpc:1\"");
        let spans = request.arguments.positional.clone();
        assert_eq!(request.arguments.value::<Attachment>(spans[2]).unwrap(), blob);
        assert!(text(&frames[4]).ends_with(r#","kwargs":{"n":NaN},"id":"rpc:1","timeout_ms":50}"#), "{}", text(&frames[4]));
    }

    #[test]
    fn arguments_that_are_no_list_are_refused() {
        assert!(V1.draft(Target::Method("m"), Parts { positional: Some(&5), named: None }).is_err());
        assert!(V1.draft(Target::Method("m"), Parts { positional: None, named: Some(&(1, 2)) }).is_err());
    }

    #[test]
    fn a_message_may_show_an_attachment_twice() {
        let mut decoder = V1.decoder(&Limits::default());
        decoder.authenticated();
        let mut next = |kind, bytes: &'static str| decoder.next(kind, Bytes::from_static(bytes.as_bytes()));
        assert!(next(FrameKind::Text, r#"{"method":"wslink.binary.attachment","args":["wslink_bin1"]}"#).unwrap().is_none());
        assert!(next(FrameKind::Binary, "bytes").unwrap().is_none());
        let event = r#"{"id":"publish:t:0","sub":3,"result":["wslink_bin1",{"again":"wslink_bin1"}]}"#;
        let (message, mut incoming) = next(FrameKind::Text, event).unwrap().unwrap();
        let Message::Event { topic, subscription: Some(3), content } = message else { panic!("{message:?}") };
        assert_eq!(topic, "t");
        let value: crate::Value = incoming.body(content.span().unwrap()).decode().unwrap();
        let blob = crate::Value::from(Attachment::from_static(b"bytes"));
        assert_eq!(value, crate::Value::List(vec![blob.clone(), crate::Value::map([("again", blob)])]));
        assert!(next(FrameKind::Text, "[]").is_err());
    }
}
