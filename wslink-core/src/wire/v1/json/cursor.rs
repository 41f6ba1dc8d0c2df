//! A cursor over JSON text: walks objects and lists, skips values, decodes strings.
//!
//! `None` means malformed. Nesting is bounded, so recursion is.

use std::borrow::Cow;

use super::super::super::Span;

/// Deeper nesting is refused.
const MAX_DEPTH: u8 = 128;

pub(in super::super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
}

/// A string literal, quotes included.
pub(in super::super) struct Literal<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Literal<'a> {
    /// What it says.
    pub(in super::super) fn decode(&self) -> Option<Cow<'a, str>> {
        let inner = &self.text[1..self.text.len() - 1];
        if inner.bytes().all(|byte| byte != b'\\' && byte >= b' ') {
            return Some(Cow::Borrowed(inner));
        }
        serde_json::from_str(self.text).ok().map(Cow::Owned)
    }

    pub(in super::super) fn span(&self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }
}

/// What the string literal `literal` says; `None` when it is none.
pub(in super::super) fn text_at(literal: &str) -> Option<Cow<'_, str>> {
    Cursor::new(literal).string()?.decode()
}

impl<'a> Cursor<'a> {
    pub(in super::super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The next byte that is no white space.
    pub(in super::super) fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        self.text.as_bytes().get(self.at).copied()
    }

    /// Nothing but white space is left.
    pub(in super::super) fn end(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Whether another element follows in a container that `closing` ends; moves past `,` or `closing`.
    pub(super) fn more(&mut self, first: &mut bool, closing: u8) -> Option<bool> {
        let begun = !std::mem::replace(first, false);
        match self.peek()? {
            byte if byte == closing => {
                self.at += 1;
                self.depth -= 1;
                Some(false)
            }
            b',' if begun => {
                self.at += 1;
                Some(true)
            }
            _ => (!begun).then_some(true),
        }
    }

    /// Enters a container.
    pub(super) fn open(&mut self, opening: u8) -> Option<()> {
        self.expect(opening)?;
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    /// The key of the next member, with the colon behind it.
    pub(super) fn key(&mut self) -> Option<Literal<'a>> {
        let key = self.string()?;
        self.expect(b':')?;
        self.peek()?;
        Some(key)
    }

    /// Walks the object that begins here; `each` must consume the value.
    pub(in super::super) fn members(&mut self, mut each: impl FnMut(&mut Self, Literal<'a>) -> Option<()>) -> Option<()> {
        self.open(b'{')?;
        let mut first = true;
        while self.more(&mut first, b'}')? {
            let key = self.key()?;
            each(self, key)?;
        }
        Some(())
    }

    /// Walks the list that begins here; `each` must consume the item.
    pub(in super::super) fn items(&mut self, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.open(b'[')?;
        let mut first = true;
        while self.more(&mut first, b']')? {
            each(self)?;
        }
        Some(())
    }

    /// Skips one value and tells where it was.
    pub(in super::super) fn skip(&mut self) -> Option<Span> {
        let next = self.peek()?;
        let start = self.at;
        match next {
            b'{' => self.members(|cursor, _| cursor.skip().map(drop))?,
            b'[' => self.items(|cursor| cursor.skip().map(drop))?,
            b'"' => {
                self.string()?;
            }
            _ => {
                self.word()?;
            }
        }
        Some(Span::new(start, self.at))
    }

    /// The string literal that begins here.
    pub(super) fn string(&mut self) -> Option<Literal<'a>> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at;
        let mut end = start + 1;
        loop {
            end += memchr::memchr2(b'"', b'\\', self.text.as_bytes().get(end..)?)?;
            if self.text.as_bytes()[end] == b'"' {
                break;
            }
            end += 2;
        }
        self.at = end + 1;
        Some(Literal { text: self.text.get(start..self.at)?, start })
    }

    /// The number or word that begins here.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        self.peek()?;
        let rest = &self.text[self.at..];
        let len = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')).count();
        self.at += len;
        (len > 0).then_some(&rest[..len])
    }
}
