//! The client's side of the second generation: MessagePack requests out in chunks, messages in.

use std::collections::HashMap;

use bytes::Bytes;

use super::{
    super::{
        Encoded, FrameKind, Unserialisable, Violation,
        message::{Body, ClientWire, Draft, Found, FoundContent, Message, MessageDecoder, Parts},
    },
    V2,
    assembler::Assembler,
    chunks, next_message_id,
    scan::{MessagePack, Scanner},
    writer::SegmentWriter,
};
use crate::Limits;

const MALFORMED: Violation = Violation::malformed("not a MessagePack message");

/// What a request still gets when it is sealed fits in here.
const ROOM: usize = 2048;

impl ClientWire for V2 {
    fn draft(&self, method: &str, arguments: Parts<'_>) -> Result<Box<dyn Draft>, Unserialisable> {
        let draft = write(method, arguments).map_err(|error| Unserialisable(error.to_string()))?;
        if draft.writer.len() > u32::MAX as usize - ROOM {
            return Err(Unserialisable("the request is 4 GiB or larger".to_owned()));
        }
        Ok(Box::new(draft))
    }

    fn messages(&self, limits: &Limits) -> Box<dyn MessageDecoder> {
        let mut assembler = Assembler::new(limits);
        // A client connected to whom it wanted to: nothing is held back until hello.
        assembler.authenticated();
        Box::new(ChunkMessages(assembler))
    }
}

/// A map whose last members are missing.
#[derive(Clone)]
struct ChunkDraft {
    writer: SegmentWriter,
    members: u8,
}

fn write(method: &str, arguments: Parts<'_>) -> Result<ChunkDraft, rmp_serde::encode::Error> {
    use serde::{Serialize, ser::Error};
    let mut writer = SegmentWriter::new(chunks::HEADER);
    // How many members there are is written over this in the end.
    writer.raw(b"\x80\xa6wslink\xa31.0\xa6method");
    method.serialize(&mut rmp_serde::Serializer::new(&mut writer))?;
    let mut members = 2;
    let is_list: fn(u8) -> bool = |marker| matches!(marker, 0x90..=0x9f | 0xdc | 0xdd);
    let is_map: fn(u8) -> bool = |marker| matches!(marker, 0x80..=0x8f | 0xde | 0xdf);
    for (name, fits, value) in [(&b"\xa4args"[..], is_list, arguments.positional), (&b"\xa6kwargs"[..], is_map, arguments.named)]
    {
        let Some(value) = value else { continue };
        writer.raw(name);
        members += 1;
        let start = writer.inline.len();
        erased_serde::serialize(value, &mut rmp_serde::Serializer::new(&mut writer).with_struct_map().with_human_readable())?;
        if !writer.inline.get(start).is_some_and(|marker| fits(*marker)) {
            return Err(rmp_serde::encode::Error::custom("arguments must be a list, named ones a map"));
        }
    }
    Ok(ChunkDraft { writer, members })
}

impl Draft for ChunkDraft {
    fn seal(self: Box<Self>, id: &str, timeout_ms: Option<u64>, max_frame: usize) -> Encoded {
        let Self { mut writer, mut members } = *self;
        writer.raw(b"\xa2id");
        put_text(&mut writer, id);
        members += 1;
        if let Some(timeout) = timeout_ms {
            writer.raw(b"\xaatimeout_ms\xcf");
            writer.raw(&timeout.to_be_bytes());
            members += 1;
        }
        writer.inline[chunks::HEADER] = 0x80 | members;
        let chunk = max_frame.clamp(chunks::HEADER + 1, chunks::CHUNK);
        chunks::frames(next_message_id(), writer, chunk)
    }

    fn again(&self) -> Box<dyn Draft> {
        Box::new(self.clone())
    }
}

/// Ids are short.
fn put_text(writer: &mut SegmentWriter, text: &str) {
    writer.raw(&[0xda]);
    writer.raw(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    writer.raw(text.as_bytes());
}

/// Frames → chunks → messages.
struct ChunkMessages(Assembler);

impl MessageDecoder for ChunkMessages {
    fn decode(&mut self, kind: FrameKind, payload: Bytes) -> Result<Option<Message>, Violation> {
        if kind == FrameKind::Text {
            return Err(Violation::protocol("a text frame among chunks"));
        }
        let Some(message) = self.0.push(payload)? else { return Ok(None) };
        let found = scan(&message).ok_or(MALFORMED)?;
        Ok(found.message(|span| Body { message: message.clone(), span, attachments: HashMap::new(), format: &MessagePack }))
    }
}

fn scan(message: &[u8]) -> Option<Found> {
    let mut scanner = Scanner::new(message);
    let mut found = Found::default();
    for _ in 0..scanner.map()? {
        let key = scanner.span().and_then(|key| Scanner::new(&message[key.range()]).text());
        let span = scanner.span()?;
        let raw = &message[span.range()];
        match key {
            Some("id") => found.id = Scanner::new(raw).text().map(str::to_owned),
            Some("sub") => found.subscription = rmp_serde::from_slice(raw).ok(),
            Some(key) => found.content = FoundContent::of(key, span).or(found.content),
            None => {}
        }
    }
    (scanner.at == message.len()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Attachment,
        wire::{WireVersion, message::Received},
    };

    fn joined(encoded: &Encoded) -> impl Iterator<Item = Bytes> {
        encoded.frames().iter().map(|frame| Bytes::from([&*frame.head, &*frame.body].concat()))
    }

    #[test]
    fn a_request_is_what_a_server_reads() {
        let blob = Attachment::new(vec![7; 20_000]);
        let positional = ("x", &blob);
        let named = crate::Value::map([("n", 1)]);
        for parts in [Parts { positional: Some(&positional), named: Some(&named) }, Parts::default()] {
            let draft = V2.draft("a.b", parts).unwrap();
            for (max_frame, timeout) in [(usize::MAX, None), (4096, Some(70_000)), (1, None)] {
                let encoded = draft.again().seal("rpc:1", timeout, max_frame);
                let mut decoder = V2.decoder(&Limits { hello_bytes: usize::MAX, ..Limits::default() });
                let requests: Vec<_> =
                    joined(&encoded).filter_map(|frame| decoder.next(FrameKind::Binary, frame).unwrap()).collect();
                assert!(encoded.frames().iter().all(|frame| frame.len() <= max_frame.max(chunks::HEADER + 1)));
                let [mut request] = <[_; 1]>::try_from(requests).unwrap();
                assert_eq!(request.method(), Some(&b"a.b"[..]));
                assert_eq!(&request.id.take().unwrap().as_bytes()[3..], b"rpc:1");
                if let Some(span) = request.arguments.positional.get(1).copied() {
                    assert_eq!(request.arguments.value::<Attachment>(span).unwrap(), blob);
                    assert_eq!(request.arguments.named.len(), 1);
                }
            }
        }
    }

    #[test]
    fn arguments_that_are_no_list_are_refused() {
        assert!(V2.draft("m", Parts { positional: Some(&5), named: None }).is_err());
        assert!(V2.draft("m", Parts { positional: None, named: Some(&(1, 2)) }).is_err());
    }

    #[test]
    fn an_attachment_shares_the_memory_of_its_message() {
        let event = crate::Value::map([
            ("id", crate::Value::from("publish:t:0")),
            ("sub", 70_000.into()),
            ("result", Attachment::new(vec![5; 2048]).into()),
        ]);
        let packed = rmp_serde::to_vec(&event).unwrap();
        let size = u32::try_from(packed.len()).unwrap().to_le_bytes();
        let frame = Bytes::from([&[1, 0, 0, 0, 0, 0, 0, 0], &size[..], &packed].concat());
        let range = frame.as_ptr_range();
        let message = V2.messages(&Limits::default()).decode(FrameKind::Binary, frame).unwrap().unwrap();
        assert_eq!((message.id.as_str(), message.subscription), ("publish:t:0", Some(70_000)));
        let Received::Result(body) = message.content else { panic!("{message:?}") };
        let blob: Attachment = body.decode().unwrap();
        assert_eq!(&*blob, [5; 2048]);
        assert!(range.contains(&blob.as_ptr()));
    }
}
