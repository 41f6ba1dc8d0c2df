//! Finds the parts of a MessagePack message without building anything from it.
//!
//! Every length is checked against the bytes that are there; nesting is counted, not recursed.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use smallvec::SmallVec;

use super::super::{
    Format, Incoming, MAX_ARGUMENTS, MessageId, MethodName, Received, Source, Span, Violation, incoming::TOO_MANY, names,
};
use crate::{
    codec::msgpack::{MAX_DEPTH, Reader},
    value::attachment,
};

/// An id is echoed with every reply, so it may not be large.
const MAX_ID: usize = 1024;

/// A smaller argument is copied, so that an attachment in it keeps no message alive that is larger.
const MIN_SHARED: usize = 1024;

const MALFORMED: Violation = Violation::malformed("not a MessagePack message");

/// What an id says, when it is text.
pub(super) fn id_text(id: &MessageId) -> Option<String> {
    Scanner::new(id.as_bytes()).text().map(str::to_owned)
}

/// The id of the request that begins with `beginning`, if it is in there.
pub(super) fn leading_id(beginning: &[u8]) -> Option<MessageId> {
    let mut scanner = Scanner::new(beginning);
    for _ in 0..scanner.map()? {
        let key = scanner.bytes_of_text().ok()?;
        let start = scanner.at;
        scanner.span()?;
        if key == Some(b"id") {
            let raw = &beginning[start..scanner.at];
            return (*raw != [0xc0] && raw.len() <= MAX_ID + 3).then(|| MessageId::new(raw));
        }
    }
    None
}

/// Fills `incoming`, which is blank, with the parts of the message `body`.
#[inline]
pub(super) fn message(body: Bytes, incoming: &mut Incoming) -> Result<(), Violation> {
    let Incoming { id, system, method, arguments, timeout, content, subscription } = incoming;
    arguments.body = body;
    let mut scanner = Scanner::new(&arguments.body);
    for _ in 0..scanner.map().ok_or(MALFORMED)? {
        let key = scanner.bytes_of_text()?;
        let value = scanner.at;
        match key {
            Some(b"wslink") => _ = scanner.bytes_of_text()?,
            Some(b"args") => scanner.list_items(&mut arguments.positional)?,
            Some(b"kwargs") => scanner.map_members(&mut arguments.named)?,
            Some(b"method") => {
                let text = scanner.bytes_of_text()?;
                *method = text.map(|text| MethodName::Verbatim(Span::new(scanner.at - text.len(), scanner.at)));
            }
            Some(b"timeout_ms") => {
                let raw = scanner.span().ok_or(MALFORMED)?.range();
                *timeout = u64::deserialize(&mut Reader::new(&scanner.bytes[raw])).ok().map(Duration::from_millis);
            }
            Some(b"sub") => {
                let raw = scanner.span().ok_or(MALFORMED)?.range();
                *subscription = u64::deserialize(&mut Reader::new(&scanner.bytes[raw])).ok();
            }
            Some(b"id") => {
                let text = scanner.bytes_of_text()?;
                // It is echoed, and not as what it is not. Most are ASCII, which is found out sooner.
                if text.is_some_and(|id| !id.is_ascii() && std::str::from_utf8(id).is_err()) {
                    return Err(MALFORMED);
                }
                *system = text.is_some_and(names::is_system);
                let raw = &scanner.bytes[value..scanner.at];
                if raw.len() > MAX_ID + 3 {
                    return Err(Violation::policy("request id too long"));
                }
                *id = (*raw != [0xc0]).then(|| MessageId::new(raw));
            }
            Some(key) => {
                let span = scanner.span().ok_or(MALFORMED)?;
                *content = Received::of(key, span).or(*content);
            }
            None => {
                scanner.span().ok_or(MALFORMED)?;
            }
        }
    }
    if scanner.at != arguments.body.len() {
        return Err(MALFORMED);
    }
    Ok(())
}

/// Values as MessagePack.
pub(super) struct MessagePack;

impl Format for MessagePack {
    fn deserialize(
        &self,
        source: &mut Source<'_>,
        span: Span,
        with: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), erased_serde::Error>,
    ) -> Result<(), erased_serde::Error> {
        let bytes = &source.body[span.range()];
        let mut reader = Reader::new(bytes);
        let mut deserialize = || with(&mut <dyn erased_serde::Deserializer<'_>>::erase(&mut reader));
        if bytes.len() < MIN_SHARED { deserialize() } else { attachment::lend(source.body, deserialize) }
    }
}

/// A cursor over MessagePack.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
}

/// How many bytes a value has whose first byte tells; 0 where it does not.
static SIZES: [u8; 256] = {
    let mut sizes = [0; 256];
    let mut marker = u8::MAX;
    while marker > 0 {
        sizes[marker as usize] = match marker {
            0x01..=0x80 | 0x90 | 0xe0.. | 0xc0 | 0xc2 | 0xc3 => 1,
            0xa0..=0xbf => 1 + (marker & 0x1f),
            0xcc | 0xd0 => 2,
            0xcd | 0xd1 => 3,
            0xca | 0xce | 0xd2 => 5,
            0xcb | 0xcf | 0xd3 => 9,
            _ => 0,
        };
        marker -= 1;
    }
    sizes[0] = 1;
    sizes
};

/// What a value's first bytes say.
enum Head {
    /// A scalar, text, binary or extension with this many bytes left to come.
    Leaf(usize),
    /// Text of this many bytes.
    Text(usize),
    List(usize),
    Map(usize),
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The value, when it is text.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes_of_text().ok()??).ok()
    }

    /// Skips one value; its bytes when it is text. Nobody has checked that they are UTF-8.
    fn bytes_of_text(&mut self) -> Result<Option<&'a [u8]>, Violation> {
        let start = self.at;
        if let Some(marker @ 0xa0..=0xbf) = self.bytes.get(start) {
            self.at += 1;
            return self.take(usize::from(marker & 0x1f)).map(Some).ok_or(MALFORMED);
        }
        if let Head::Text(len) = self.head().ok_or(MALFORMED)? {
            return self.take(len).map(Some).ok_or(MALFORMED);
        }
        self.at = start;
        self.span().ok_or(MALFORMED)?;
        Ok(None)
    }

    /// How many members the map that begins here has.
    pub(super) fn map(&mut self) -> Option<usize> {
        if let Some(marker @ 0x80..=0x8f) = self.bytes.get(self.at) {
            self.at += 1;
            return Some(usize::from(marker & 0x0f));
        }
        match self.head()? {
            Head::Map(len) => Some(len),
            _ => None,
        }
    }

    /// Notes where each item of the list is; there are none when the value is no list.
    fn list_items(&mut self, items: &mut SmallVec<[Span; 6]>) -> Result<(), Violation> {
        let start = self.at;
        items.clear();
        if let Some(marker @ 0x90..=0x9f) = self.bytes.get(start) {
            self.at += 1;
            for _ in 0..marker & 0x0f {
                items.push(self.span().ok_or(MALFORMED)?);
            }
            return Ok(());
        }
        let Some(Head::List(len)) = self.head() else {
            self.at = start;
            self.span().ok_or(MALFORMED)?;
            return Ok(());
        };
        if len > MAX_ARGUMENTS {
            return Err(TOO_MANY);
        }
        for _ in 0..len {
            items.push(self.span().ok_or(MALFORMED)?);
        }
        Ok(())
    }

    /// Notes where key and value of each member of the map are; there are none when the value is no map.
    fn map_members(&mut self, members: &mut SmallVec<[(Span, Span); 2]>) -> Result<(), Violation> {
        let start = self.at;
        members.clear();
        // What stock clients send with every call.
        if self.bytes.get(start) == Some(&0x80) {
            self.at += 1;
            return Ok(());
        }
        let Some(Head::Map(len)) = self.head() else {
            self.at = start;
            self.span().ok_or(MALFORMED)?;
            return Ok(());
        };
        if len > MAX_ARGUMENTS {
            return Err(TOO_MANY);
        }
        for _ in 0..len {
            members.push((self.span().ok_or(MALFORMED)?, self.span().ok_or(MALFORMED)?));
        }
        Ok(())
    }

    /// Skips one value, however deep, and tells where it was.
    pub(super) fn span(&mut self) -> Option<Span> {
        let start = self.at;
        let size = SIZES[usize::from(*self.bytes.get(start)?)];
        if size > 0 {
            self.take(size.into())?;
            return Some(Span::new(start, self.at));
        }
        let head = self.head()?;
        if let Head::Leaf(len) | Head::Text(len) = head {
            self.take(len)?;
            return Some(Span::new(start, self.at));
        }
        self.at = start;
        self.nested_span()
    }

    fn nested_span(&mut self) -> Option<Span> {
        let start = self.at;
        // How many values are still to come at each level that was entered.
        let mut open: SmallVec<[usize; 8]> = SmallVec::new();
        loop {
            match self.head()? {
                Head::Leaf(len) | Head::Text(len) => {
                    self.take(len)?;
                }
                Head::List(0) | Head::Map(0) => {}
                Head::List(len) => open.push(len + 1),
                Head::Map(len) => open.push(len.checked_mul(2)? + 1),
            }
            loop {
                let Some(left) = open.last_mut() else { return Some(Span::new(start, self.at)) };
                *left -= 1;
                if *left > 0 {
                    break;
                }
                open.pop();
            }
            if open.len() > MAX_DEPTH {
                return None;
            }
        }
    }

    fn head(&mut self) -> Option<Head> {
        let marker = *self.take(1)?.first()?;
        Some(match marker {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Head::Leaf(0),
            0x80..=0x8f => Head::Map(usize::from(marker & 0x0f)),
            0x90..=0x9f => Head::List(usize::from(marker & 0x0f)),
            0xa0..=0xbf => Head::Text(usize::from(marker & 0x1f)),
            0xc1 => return None,
            0xc4..=0xc6 => Head::Leaf(self.length(1 << (marker - 0xc4))?),
            0xc7..=0xc9 => Head::Leaf(self.length(1 << (marker - 0xc7))?.checked_add(1)?),
            0xca | 0xce | 0xd2 => Head::Leaf(4),
            0xcb | 0xcf | 0xd3 => Head::Leaf(8),
            0xcc | 0xd0 => Head::Leaf(1),
            0xcd | 0xd1 => Head::Leaf(2),
            0xd4..=0xd8 => Head::Leaf((1 << (marker - 0xd4)) + 1),
            0xd9..=0xdb => Head::Text(self.length(1 << (marker - 0xd9))?),
            0xdc | 0xdd => Head::List(self.length(2 << (marker - 0xdc))?),
            0xde | 0xdf => Head::Map(self.length(2 << (marker - 0xde))?),
        })
    }

    /// A big-endian length of `width` bytes.
    fn length(&mut self, width: usize) -> Option<usize> {
        Some(self.take(width)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(len)?)?;
        self.at += len;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: Bytes) -> Result<Incoming, Violation> {
        let mut parsed = Incoming::blank(&MessagePack);
        message(body, &mut parsed).map(|()| parsed)
    }

    fn packed(value: &impl serde::Serialize) -> Bytes {
        rmp_serde::to_vec_named(value).unwrap().into()
    }

    #[test]
    fn finds_every_part() {
        let body = packed(&crate::Value::map([
            ("wslink", crate::Value::from("1.0")),
            ("id", "rpc:c0:1".into()),
            ("method", "a.b".into()),
            ("args", vec![1.into(), vec!["x".into()].into()].into()),
            ("kwargs", crate::Value::map([("k", crate::Value::Float(0.5))])),
        ]));
        let mut request = parse(body).unwrap();
        assert_eq!(request.method(), Some(&b"a.b"[..]));
        assert!(!request.system);
        let (first, named) = (request.arguments.positional[0], request.arguments.named[0].1);
        assert_eq!(request.arguments.value::<u8>(first).unwrap(), 1);
        assert_eq!(request.arguments.value::<f64>(named).unwrap(), 0.5);
    }

    #[test]
    fn a_wrong_shape_counts_as_no_arguments() {
        let body = packed(&crate::Value::map([("args", crate::Value::from(5)), ("kwargs", "x".into())]));
        let request = parse(body).unwrap();
        assert!(request.id.is_none() && request.arguments.positional.is_empty() && request.arguments.named.is_empty());
    }

    #[test]
    fn an_attachment_is_a_part_of_the_message() {
        let body =
            packed(&crate::Value::map([("args", crate::Value::from(vec![crate::Attachment::new(vec![5; MIN_SHARED]).into()]))]));
        let mut request = parse(body.clone()).unwrap();
        let span = request.arguments.positional[0];
        let attachment: crate::Attachment = request.arguments.value(span).unwrap();
        assert!(body.as_ptr_range().contains(&attachment.as_ptr()));
    }

    #[test]
    fn what_is_cut_short_deep_or_followed_by_more_is_refused() {
        assert_eq!(parse(Bytes::from_static(&[0xc1, 0xc1])).unwrap_err(), MALFORMED);
        assert_eq!(parse(Bytes::from_static(&[0x81, 0xa1, b'x', 0xdf, 0xff, 0xff, 0xff, 0xff])).unwrap_err(), MALFORMED);
        assert_eq!(parse(Bytes::from_static(&[0x80, 0x80])).unwrap_err(), MALFORMED);
        let mut deep = vec![0x81, 0xa1, b'x'];
        deep.extend([0x91; 1000]);
        deep.push(0xc0);
        assert_eq!(parse(deep.into()).unwrap_err(), MALFORMED);
    }

    #[test]
    fn an_id_is_echoed_so_it_is_what_it_says_it_is() {
        assert_eq!(parse(Bytes::from_static(b"\x81\xa2id\xa8system:\xa6")).unwrap_err(), MALFORMED);
    }

    #[test]
    fn places_of_arguments_are_bounded() {
        let list = [&b"\x81\xa4args\xdd\x00\x01\x00\x01"[..], &[0xc0; 65_537]].concat();
        assert_eq!(parse(list.into()).unwrap_err(), TOO_MANY);
        let map = [&b"\x81\xa6kwargs\xdf\x00\x01\x00\x01"[..], &[0xa0; 2 * 65_537]].concat();
        assert_eq!(parse(map.into()).unwrap_err(), TOO_MANY);
    }
}
