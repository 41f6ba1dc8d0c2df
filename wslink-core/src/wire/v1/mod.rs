//! wslink protocol 1: JSON in text frames, attachments in binary frames of their own.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;

use super::{
    Content, Decoder, Draft, Encoded, Frame, FrameKind, Incoming, Message, MessageId, Outgoing, Parts, Protocol, Subject, Target,
    Unserializable, Violation, names,
};
use crate::{Limits, codec::Error};

mod draft;
mod json;
mod scan;

pub(super) struct V1;

impl Protocol for V1 {
    fn name(&self) -> &'static str {
        "v1"
    }

    fn first_frame(&self) -> FrameKind {
        FrameKind::Text
    }

    fn decoder(&self, limits: &Limits) -> Box<dyn Decoder> {
        Box::new(TextDecoder::new(limits))
    }

    fn encode(&self, message: &Outgoing<'_>) -> Result<Encoded, Unserializable> {
        let json::Written { text, attachments } = written(|| json::Writer::new(next_key), |writer| write(writer, message))?;
        Ok(frames(text, attachments))
    }

    fn draft(&self, target: Target<'_>, arguments: Parts<'_>) -> Result<Box<dyn Draft>, Unserializable> {
        draft::draft(target, arguments)
    }

    fn id_text(&self, id: &MessageId) -> Option<String> {
        json::text_at(std::str::from_utf8(id.as_bytes()).ok()?).map(Cow::into_owned)
    }
}

/// How often a message is written with other keys, before it is given up because its texts equal them.
const ATTEMPTS: u32 = 8;

/// What `write` writes.
fn written(
    writer: impl Fn() -> json::Writer,
    write: impl Fn(&mut json::Writer) -> Result<(), Error>,
) -> Result<json::Written, Unserializable> {
    for _ in 0..ATTEMPTS {
        let mut writer = writer();
        write(&mut writer).map_err(|error| Unserializable(error.to_string()))?;
        if let Some(finished) = writer.finish() {
            return Ok(finished);
        }
    }
    Err(Unserializable("its texts equal the keys of its attachments".to_owned()))
}

/// The method that announces the keys of the binary frames that follow.
const ANNOUNCEMENT: &str = "wslink.binary.attachment";

/// The frames of a message: each attachment announced and sent, then the text.
fn frames(text: Vec<u8>, attachments: Vec<(String, Bytes)>) -> Encoded {
    if attachments.is_empty() {
        return Encoded::one(Frame::new(FrameKind::Text, text));
    }
    let mut frames = Vec::with_capacity(attachments.len() * 2 + 1);
    for (key, bytes) in attachments {
        let header = format!(r#"{{"wslink":"1.0","method":"{ANNOUNCEMENT}","args":["{key}"]}}"#);
        frames.push(Frame::new(FrameKind::Text, header));
        frames.push(Frame { kind: FrameKind::Binary, head: Bytes::new(), body: bytes });
    }
    frames.push(Frame::new(FrameKind::Text, text));
    Encoded::indivisible(frames)
}

/// `{"wslink", "id", "result" | "error"}`, in this order.
fn write(writer: &mut json::Writer, message: &Outgoing<'_>) -> Result<(), Error> {
    writer.raw(br#"{"wslink":"1.0","id":"#);
    match message.subject {
        Subject::Reply(id) => writer.raw(id.as_bytes()),
        Subject::Event { topic, subscription } => {
            writer.json(&format_args!("publish:{topic}:0"))?;
            if let Some(number) = subscription {
                writer.raw(br#","sub":"#);
                writer.json(&number)?;
            }
        }
    }
    match message.content {
        Content::Result(value) => {
            writer.raw(br#","result":"#);
            writer.value(value)?;
        }
        Content::Error(error) => {
            writer.raw(br#","error":"#);
            writer.value(error)?;
        }
        Content::Progress(value) => {
            writer.raw(br#","progress":"#);
            writer.value(value)?;
        }
        Content::End => writer.raw(br#","end":true"#),
    }
    writer.raw(b"}");
    Ok(())
}

/// Keys are unique in the process, so that one encoded event serves every connection. They are digits after
/// `wslink_bin`, as stock clients expect.
fn next_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("wslink_bin{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A smaller upload is copied.
const MIN_SHARED: usize = 1 << 20;

/// Frames → attachments and requests.
struct TextDecoder {
    /// Announced, their bytes not yet here.
    announced: VecDeque<String>,
    /// Here, not yet referred to by a request.
    uploaded: HashMap<String, Bytes>,
    uploaded_bytes: usize,
    max_message: usize,
    authenticated_max_message: usize,
    is_authenticated: bool,
    max_keys: usize,
    max_uploaded: usize,
}

impl TextDecoder {
    fn new(limits: &Limits) -> Self {
        Self {
            announced: VecDeque::new(),
            uploaded: HashMap::new(),
            uploaded_bytes: 0,
            max_message: limits.hello_bytes,
            authenticated_max_message: limits.message_bytes,
            is_authenticated: false,
            max_keys: limits.attachment_keys,
            max_uploaded: limits.attachment_bytes,
        }
    }

    fn announce(&mut self, keys: Vec<String>) -> Result<(), Violation> {
        if self.announced.len() + self.uploaded.len() + keys.len() > self.max_keys {
            return Err(Violation::policy("too many attachments announced"));
        }
        self.announced.extend(keys);
        Ok(())
    }

    /// A binary frame belongs to the key announced first; without one it is nobody's.
    fn upload(&mut self, bytes: Bytes) -> Result<(), Violation> {
        let Some(key) = self.announced.pop_front() else { return Ok(()) };
        // What is small must not keep alive the memory of what it was read with.
        let bytes = if bytes.len() < MIN_SHARED { Bytes::copy_from_slice(&bytes) } else { bytes };
        self.uploaded_bytes += bytes.len();
        if let Some(replaced) = self.uploaded.insert(key, bytes) {
            self.uploaded_bytes -= replaced.len();
        }
        if self.uploaded_bytes > self.max_uploaded {
            return Err(Violation::policy("too many bytes in attachments that no call refers to"));
        }
        Ok(())
    }

    /// Moves the attachments that `incoming` mentions into it.
    fn attach(&mut self, incoming: &mut Incoming) {
        if self.uploaded.is_empty() {
            return;
        }
        let content = incoming.content.and_then(super::Received::span);
        let arguments = &mut incoming.arguments;
        let attachments = arguments.attachments.get_or_insert_default();
        let spans = arguments.positional.iter().chain(arguments.named.iter().map(|(_, value)| value));
        for span in spans.chain(&content) {
            self.take_mentioned(&arguments.body[span.range()], attachments);
        }
    }

    /// Moves the attachments whose keys stand in `json`.
    fn take_mentioned(&mut self, json: &[u8], to: &mut HashMap<String, Bytes>) {
        for key in scan::attachment_keys(json) {
            if let Some(bytes) = self.uploaded.remove(key) {
                self.uploaded_bytes -= bytes.len();
                to.insert(key.to_owned(), bytes);
            }
        }
    }
}

impl Decoder for TextDecoder {
    fn blank(&self) -> Incoming {
        Incoming::blank(&json::Json)
    }

    fn decode(&mut self, kind: FrameKind, payload: Bytes, incoming: &mut Incoming) -> Result<Option<Message>, Violation> {
        if payload.len() > self.max_message {
            return Err(Violation::too_large("message too large"));
        }
        if kind == FrameKind::Binary {
            return self.upload(payload).map(|()| None);
        }
        scan::message(payload, incoming)?;
        if incoming.id.is_none() {
            // An unauthenticated peer uploads nothing.
            if incoming.method() == Some(ANNOUNCEMENT.as_bytes()) && self.is_authenticated {
                self.announce(scan::announced_keys(&mut incoming.arguments))?;
            }
            return Ok(None);
        }
        self.attach(incoming);
        Ok(names::classify(incoming, |incoming| V1.id_text(incoming.id.as_ref()?)))
    }

    fn authenticated(&mut self) {
        self.is_authenticated = true;
        self.max_message = self.authenticated_max_message;
    }

    fn incomplete(&self) -> (usize, usize) {
        (self.announced.len(), self.uploaded_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attachment, Value};

    fn text(decoder: &mut dyn Decoder, text: impl Into<Bytes>) -> Result<Option<Incoming>, Violation> {
        decoder.next(FrameKind::Text, text.into()).map(|next| next.map(|(_, incoming)| incoming))
    }

    fn binary(decoder: &mut dyn Decoder, bytes: &'static [u8]) -> Result<Option<Incoming>, Violation> {
        decoder.next(FrameKind::Binary, Bytes::from_static(bytes)).map(|next| next.map(|(_, incoming)| incoming))
    }

    #[test]
    fn one_announcement_may_carry_several_keys() {
        let mut decoder = V1.decoder(&Limits::default());
        let decoder = decoder.as_mut();
        decoder.authenticated();
        assert!(
            text(decoder, r#"{"method":"wslink.binary.attachment","args":["wslink_bin1","wslink_bin2"]}"#).unwrap().is_none()
        );
        assert!(binary(decoder, b"one").unwrap().is_none());
        assert!(binary(decoder, b"two").unwrap().is_none());
        assert!(binary(decoder, b"orphan").unwrap().is_none());
        let mut call =
            text(decoder, r#"{"id":"rpc:c:1","method":"m","args":[{"deep":["wslink_bin2"]},"wslink_bin1","wslink_bin1"]}"#)
                .unwrap()
                .unwrap();
        let spans = call.arguments.positional.clone();
        let deep: Value = call.arguments.value(spans[0]).unwrap();
        assert_eq!(deep, Value::map([("deep", Value::from(vec![Attachment::from_static(b"two").into()]))]));
        assert_eq!(&*call.arguments.value::<Attachment>(spans[1]).unwrap(), b"one");
        assert_eq!(call.arguments.value::<String>(spans[2]).unwrap(), "wslink_bin1", "a used key is text");
        let mut again = text(decoder, r#"{"id":"x","method":"m","args":["wslink_bin1"]}"#).unwrap().unwrap();
        let span = again.arguments.positional[0];
        assert_eq!(again.arguments.value::<String>(span).unwrap(), "wslink_bin1");
    }

    #[test]
    fn announcements_and_unused_bytes_are_bounded() {
        let limits = Limits { attachment_keys: 1, attachment_bytes: 4, ..Limits::default() };
        let mut decoder = V1.decoder(&limits);
        let decoder = decoder.as_mut();
        decoder.authenticated();
        assert_eq!(text(decoder, r#"{"method":"wslink.binary.attachment","args":["a","b"]}"#).unwrap_err().code, 1008);
        assert!(text(decoder, r#"{"method":"wslink.binary.attachment","args":["a"]}"#).unwrap().is_none());
        assert_eq!(binary(decoder, b"12345").unwrap_err().code, 1008);
    }

    #[test]
    fn the_same_bytes_twice_are_sent_once() {
        let blob = Attachment::new(vec![7; 20_000]);
        let value = (blob.clone(), "text", blob.clone(), Attachment::new(vec![7; 20_000]));
        let id = MessageId::new(b"\"i\"");
        let encoded = V1.encode(&Outgoing { subject: Subject::Reply(&id), content: Content::Result(&value) }).unwrap();
        assert_eq!(encoded.frames().len(), 5, "two distinct attachments and the message");
        assert_eq!(encoded.frames()[1].body.as_ptr(), blob.as_ptr(), "not copied");
        assert!(!encoded.is_divisible());
    }

    #[test]
    fn a_text_that_equals_a_key_is_not_taken_for_an_attachment() {
        let id = MessageId::new(b"\"i\"");
        let blob = Attachment::new(vec![7; 10]);
        // Whatever the next keys are, one of these texts equals one of them.
        let next: u64 = next_key().strip_prefix("wslink_bin").unwrap().parse().unwrap();
        for ahead in 0..200 {
            let value = (format!("wslink_bin{}", next + ahead), &blob);
            let outgoing = Outgoing { subject: Subject::Reply(&id), content: Content::Result(&value) };
            let encoded = V1.encode(&outgoing).unwrap();
            let mut decoder = V1.decoder(&Limits::default());
            decoder.authenticated();
            let mut came = None;
            for frame in encoded.frames() {
                let payload = Bytes::from([&*frame.head, &*frame.body].concat());
                came = decoder.next(frame.kind, payload).unwrap().or(came);
            }
            let (_, mut incoming) = came.unwrap();
            let span = incoming.content.unwrap().span().unwrap();
            assert_eq!(incoming.body(span).decode::<(String, Attachment)>().unwrap(), (value.0, blob.clone()));
        }
    }
}
