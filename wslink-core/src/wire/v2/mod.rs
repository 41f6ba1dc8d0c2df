//! wslink protocol 2: MessagePack messages cut into chunks, each a binary frame.

use std::sync::{
    LazyLock,
    atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;

pub(crate) use self::chunks::joined;
use self::{
    assembler::Assembler,
    oversize::{Fate, Oversize},
    writer::SegmentWriter,
};
use super::{
    Content, Decoder, Draft, Encoded, FrameKind, Incoming, Message, MessageId, Outgoing, Parts, Protocol, Subject, Target,
    Unserializable, Violation, names,
};
use crate::{
    Limits,
    codec::{Error, msgpack},
};

mod assembler;
mod chunks;
mod draft;
mod oversize;
mod scan;
mod writer;

pub(super) struct V2;

impl Protocol for V2 {
    fn name(&self) -> &'static str {
        "v2"
    }

    fn decoder(&self, limits: &Limits) -> Box<dyn Decoder> {
        Box::new(ChunkDecoder {
            assembler: Assembler::new(limits),
            oversize: Oversize::new(limits.message_bytes, limits.incomplete_messages),
            max_message: limits.message_bytes,
            authenticated: false,
            warned: false,
        })
    }

    fn encode(&self, message: &Outgoing<'_>) -> Result<Encoded, Unserializable> {
        let mut writer = SegmentWriter::new(chunks::HEADER);
        write(&mut writer, message).map_err(|error| Unserializable(error.to_string()))?;
        if writer.len() > u32::MAX as usize {
            return Err(Unserializable("the message is 4 GiB or larger".to_owned()));
        }
        Ok(chunks::frames(next_message_id(), writer, chunks::CHUNK))
    }

    fn draft(&self, target: Target<'_>, arguments: Parts<'_>) -> Result<Box<dyn Draft>, Unserializable> {
        draft::draft(target, arguments)
    }

    fn first_frame(&self) -> FrameKind {
        FrameKind::Binary
    }

    fn id_text(&self, id: &MessageId) -> Option<String> {
        scan::id_text(id)
    }

    fn announces_max_message(&self) -> bool {
        true
    }
}

/// `{"wslink", "id", "result" | "error"}`, in this order.
fn write(writer: &mut SegmentWriter, message: &Outgoing<'_>) -> Result<(), Error> {
    let own = matches!(message.subject, Subject::Event { subscription: Some(_), .. });
    writer.raw(if own { b"\x84\xa6wslink\xa31.0\xa2id" } else { b"\x83\xa6wslink\xa31.0\xa2id" });
    match message.subject {
        Subject::Reply(id) => writer.raw(id.as_bytes()),
        Subject::Event { topic, subscription } => {
            msgpack::put_text(&mut writer.inline, &["publish:", topic, ":0"].concat())?;
            if let Some(number) = subscription {
                writer.raw(b"\xa3sub");
                msgpack::Writer::write(writer, &number)?;
            }
        }
    }
    writer.raw(match message.content {
        Content::Result(_) => &b"\xa6result"[..],
        Content::Error(_) => b"\xa5error",
        Content::Progress(_) => b"\xa8progress",
        Content::End => b"\xa3end\xc3",
    });
    match message.content {
        Content::Result(value) | Content::Progress(value) => msgpack::Writer::write(writer, value),
        Content::Error(error) => msgpack::Writer::write(writer, error),
        Content::End => Ok(()),
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
    oversize: Oversize,
    max_message: usize,
    authenticated: bool,
    warned: bool,
}

impl Decoder for ChunkDecoder {
    fn blank(&self) -> Incoming {
        Incoming::blank(&scan::MessagePack)
    }

    fn decode(&mut self, kind: FrameKind, payload: Bytes, incoming: &mut Incoming) -> Result<Option<Message>, Violation> {
        if kind == FrameKind::Text {
            if !std::mem::replace(&mut self.warned, true) {
                tracing::warn!("ignoring text frames on a connection that speaks MessagePack");
            }
            return Ok(None);
        }
        // An unauthenticated peer is not answered at such length.
        if self.authenticated {
            match self.oversize.judge(&payload)? {
                Fate::Take => {}
                Fate::Drop => return Ok(None),
                Fate::Refuse(id, got) => {
                    incoming.id = Some(id);
                    return Ok(Some(Message::TooLarge { limit: self.max_message, got }));
                }
            }
        }
        let Some(message) = self.assembler.push(payload)? else { return Ok(None) };
        scan::message(message, incoming)?;
        Ok(names::classify(incoming, |incoming| scan::id_text(incoming.id.as_ref()?)))
    }

    fn authenticated(&mut self) {
        self.authenticated = true;
        self.assembler.authenticated();
    }

    fn incomplete(&self) -> (usize, usize) {
        let (taken, refused) = (self.assembler.incomplete(), self.oversize.incomplete());
        (taken.0 + refused.0, taken.1 + refused.1)
    }

    fn release_spare(&mut self) {
        self.assembler.release_spare();
    }
}
