//! Requests of a client of protocol 2, as MessagePack maps whose last members are added when they are sent.

use super::{
    super::{Draft, Encoded, Parts, Target, Unserializable, names},
    chunks, next_message_id,
    writer::SegmentWriter,
};
use crate::codec::{Error, msgpack};

/// The members that are added when a request is sealed fit in here.
const ROOM: usize = 2048;

pub(super) fn draft(target: Target<'_>, arguments: Parts<'_>) -> Result<Box<dyn Draft>, Unserializable> {
    let draft = write(target, arguments).map_err(|error| Unserializable(error.to_string()))?;
    if draft.writer.len() > u32::MAX as usize - ROOM {
        return Err(Unserializable("the request is 4 GiB or larger".to_owned()));
    }
    Ok(Box::new(draft))
}

/// A map whose last members are missing.
#[derive(Clone)]
struct ChunkDraft {
    writer: SegmentWriter,
    members: u8,
    id_prefix: &'static str,
}

fn write(target: Target<'_>, arguments: Parts<'_>) -> Result<ChunkDraft, Error> {
    let mut writer = SegmentWriter::new(chunks::HEADER);
    // How many members there are is written over this in the end.
    writer.raw(b"\x80\xa6wslink\xa31.0\xa6method");
    msgpack::put_text(&mut writer.inline, names::method(target))?;
    let mut members = 2;
    let id_prefix = names::id_prefix(target);
    if let Target::Cancel(number) = target {
        writer.raw(b"\xa4args\x91");
        msgpack::put_text(&mut writer.inline, &names::call_id(number))?;
        return Ok(ChunkDraft { writer, members: members + 1, id_prefix });
    }
    let is_list: fn(u8) -> bool = |marker| matches!(marker, 0x90..=0x9f | 0xdc | 0xdd);
    let is_map: fn(u8) -> bool = |marker| matches!(marker, 0x80..=0x8f | 0xde | 0xdf);
    for (name, fits, value) in [(&b"\xa4args"[..], is_list, arguments.positional), (&b"\xa6kwargs"[..], is_map, arguments.named)]
    {
        let Some(value) = value else { continue };
        writer.raw(name);
        members += 1;
        let start = writer.inline.len();
        msgpack::Writer::write(&mut writer, value)?;
        if !writer.inline.get(start).is_some_and(|marker| fits(*marker)) {
            return Err(Error::new("arguments must be a list, named ones a map"));
        }
    }
    Ok(ChunkDraft { writer, members, id_prefix })
}

impl Draft for ChunkDraft {
    fn seal(self: Box<Self>, number: u64, timeout_ms: Option<u64>, max_frame: usize) -> Encoded {
        let Self { mut writer, mut members, id_prefix } = *self;
        writer.raw(b"\xa2id");
        put_text(&mut writer, &format!("{id_prefix}{number}"));
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

    fn copy(&self) -> Box<dyn Draft> {
        Box::new(self.clone())
    }
}

/// Ids are short.
fn put_text(writer: &mut SegmentWriter, text: &str) {
    writer.raw(&[0xda]);
    writer.raw(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    writer.raw(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{
        super::super::{FrameKind, Message, V2},
        *,
    };
    use crate::{Attachment, Limits};

    fn joined(encoded: &Encoded) -> impl Iterator<Item = Bytes> {
        encoded.frames().iter().map(|frame| Bytes::from([&*frame.head, &*frame.body].concat()))
    }

    #[test]
    fn a_request_is_what_a_server_reads() {
        let blob = Attachment::new(vec![7; 20_000]);
        let positional = ("x", &blob);
        let named = crate::Value::map([("n", 1)]);
        for parts in [Parts { positional: Some(&positional), named: Some(&named) }, Parts::default()] {
            let draft = V2.draft(Target::Method("a.b"), parts).unwrap();
            for (max_frame, timeout) in [(usize::MAX, None), (4096, Some(70_000)), (1, None)] {
                let encoded = draft.copy().seal(1, timeout, max_frame);
                let mut decoder = V2.decoder(&Limits::with(|limits| limits.hello_bytes = usize::MAX));
                let requests: Vec<_> =
                    joined(&encoded).filter_map(|frame| decoder.next(FrameKind::Binary, frame).unwrap()).collect();
                assert!(encoded.frames().iter().all(|frame| frame.len() <= max_frame.max(chunks::HEADER + 1)));
                let [(Message::Call, mut request)] = <[_; 1]>::try_from(requests).unwrap() else { panic!() };
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
        assert!(V2.draft(Target::Method("m"), Parts { positional: Some(&5), named: None }).is_err());
        assert!(V2.draft(Target::Method("m"), Parts { positional: None, named: Some(&(1, 2)) }).is_err());
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
        let mut decoder = V2.decoder(&Limits::default());
        decoder.authenticated();
        let (message, mut incoming) = decoder.next(FrameKind::Binary, frame).unwrap().unwrap();
        let Message::Event { topic, subscription: Some(70_000), content } = message else { panic!("{message:?}") };
        assert_eq!(topic, "t");
        let blob: Attachment = incoming.body(content.span().unwrap()).decode().unwrap();
        assert_eq!(&*blob, [5; 2048]);
        assert!(range.contains(&blob.as_ptr()));
    }
}
