//! The second generation: MessagePack messages cut into chunks, each a binary frame.

use std::sync::{
    LazyLock,
    atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use serde::Serialize;

use self::{assembler::Assembler, writer::SegmentWriter};
use super::{Content, Decoder, Encoded, FrameKind, Outgoing, Request, Subject, Unserialisable, Violation, WireVersion};
use crate::Limits;

mod assembler;
mod chunks;
mod scan;
mod writer;

pub(super) struct V2;

impl WireVersion for V2 {
    fn name(&self) -> &'static str {
        "v2"
    }

    fn index(&self) -> usize {
        1
    }

    fn decoder(&self, limits: &Limits) -> Box<dyn Decoder> {
        Box::new(ChunkDecoder { assembler: Assembler::new(limits), warned: false })
    }

    fn encode(&self, message: &Outgoing<'_>) -> Result<Encoded, Unserialisable> {
        let mut writer = SegmentWriter::new(chunks::HEADER);
        write(&mut writer, message).map_err(|error| Unserialisable(error.to_string()))?;
        if writer.len() > u32::MAX as usize {
            return Err(Unserialisable("the message is 4 GiB or larger".to_owned()));
        }
        Ok(chunks::frames(next_message_id(), writer))
    }

    fn announces_max_message(&self) -> bool {
        true
    }
}

/// `{"wslink", "id", "result" | "error"}`, in this order; structs as maps, and the same text forms as
/// in JSON.
fn write(writer: &mut SegmentWriter, message: &Outgoing<'_>) -> Result<(), rmp_serde::encode::Error> {
    writer.raw(b"\x83\xa6wslink\xa31.0\xa2id");
    match message.subject {
        Subject::Reply(id) => writer.raw(&id.0),
        Subject::Event(topic) => format!("publish:{topic}:0").serialize(&mut rmp_serde::Serializer::new(&mut *writer))?,
    }
    writer.raw(match message.content {
        Content::Result(_) => &b"\xa6result"[..],
        Content::Error(_) => b"\xa5error",
    });
    let mut serializer = rmp_serde::Serializer::new(writer).with_struct_map().with_human_readable();
    match message.content {
        Content::Result(value) => value.serialize(&mut serializer),
        Content::Error(error) => error.serialize(&mut serializer),
    }
}

/// Message ids only tell the messages of one connection apart; starting anywhere keeps them from
/// meaning anything else.
fn next_message_id() -> u32 {
    static NEXT: LazyLock<AtomicU32> = LazyLock::new(|| AtomicU32::new(getrandom::u32().unwrap_or(1)));
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Frames → chunks → messages → requests.
struct ChunkDecoder {
    assembler: Assembler,
    warned: bool,
}

impl Decoder for ChunkDecoder {
    fn decode(&mut self, kind: FrameKind, payload: Bytes) -> Result<Option<Request>, Violation> {
        if kind == FrameKind::Text {
            if !std::mem::replace(&mut self.warned, true) {
                tracing::warn!("ignoring text frames on a connection that speaks MessagePack");
            }
            return Ok(None);
        }
        self.assembler.push(payload)?.map(scan::request).transpose()
    }

    fn authenticated(&mut self) {
        self.assembler.authenticated();
    }

    fn incomplete(&self) -> usize {
        self.assembler.incomplete()
    }
}
