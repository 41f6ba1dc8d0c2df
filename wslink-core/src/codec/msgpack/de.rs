//! MessagePack → values: a serde deserializer over bytes, whose errors speak of values and not of MessagePack.
//!
//! Every length is checked against the bytes that are there.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
        value::SeqDeserializer,
    },
    forward_to_deserialize_any,
};

use super::{
    super::{Error, key},
    MAX_DEPTH,
};

/// Reads one value.
pub(crate) struct Reader<'de> {
    bytes: &'de [u8],
    at: usize,
    depth: usize,
}

/// A value, or the beginning of one that has others in it.
#[derive(Clone, Copy)]
enum Head<'de> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Single(f32),
    Double(f64),
    Text(&'de [u8]),
    Binary(&'de [u8]),
    List(usize),
    Map(usize),
    Extension(i8),
}

#[cold]
fn cut_short() -> Error {
    Error::new("a value that is cut short")
}

fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|_| Error::new("text that is not UTF-8"))
}

impl<'de> Reader<'de> {
    pub(crate) const fn new(bytes: &'de [u8]) -> Self {
        Self { bytes, at: 0, depth: 0 }
    }

    fn take(&mut self, len: usize) -> Result<&'de [u8], Error> {
        let taken = self.at.checked_add(len).and_then(|end| self.bytes.get(self.at..end)).ok_or_else(cut_short)?;
        self.at += len;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let array = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk).copied().ok_or_else(cut_short)?;
        self.at += N;
        Ok(array)
    }

    /// A length of 8, 16 or 32 bits.
    fn length(&mut self, width: u8) -> Result<usize, Error> {
        Ok(match width {
            0 => self.array().map(u8::from_be_bytes)?.into(),
            1 => self.array().map(u16::from_be_bytes)?.into(),
            _ => self.array().map(u32::from_be_bytes)? as usize,
        })
    }

    fn peek(&self) -> Result<u8, Error> {
        self.bytes.get(self.at).copied().ok_or_else(cut_short)
    }

    #[inline]
    fn head(&mut self) -> Result<Head<'de>, Error> {
        let marker = self.peek()?;
        self.at += 1;
        Ok(match marker {
            0x00..=0x7f => Head::Unsigned(marker.into()),
            0x80..=0x8f => Head::Map(usize::from(marker & 0x0f)),
            0x90..=0x9f => Head::List(usize::from(marker & 0x0f)),
            0xa0..=0xbf => Head::Text(self.take(usize::from(marker & 0x1f))?),
            0xc0 => Head::Null,
            0xc1 => return Err(Error::new("a byte that begins no value")),
            0xc2 | 0xc3 => Head::Bool(marker == 0xc3),
            0xc4..=0xc6 => {
                let len = self.length(marker - 0xc4)?;
                Head::Binary(self.take(len)?)
            }
            0xc7..=0xc9 => {
                let len = self.length(marker - 0xc7)?;
                self.extension(len)?
            }
            0xca => Head::Single(f32::from_be_bytes(self.array()?)),
            0xcb => Head::Double(f64::from_be_bytes(self.array()?)),
            0xcc => Head::Unsigned(u8::from_be_bytes(self.array()?).into()),
            0xcd => Head::Unsigned(u16::from_be_bytes(self.array()?).into()),
            0xce => Head::Unsigned(u32::from_be_bytes(self.array()?).into()),
            0xcf => Head::Unsigned(u64::from_be_bytes(self.array()?)),
            0xd0 => Head::Signed(i8::from_be_bytes(self.array()?).into()),
            0xd1 => Head::Signed(i16::from_be_bytes(self.array()?).into()),
            0xd2 => Head::Signed(i32::from_be_bytes(self.array()?).into()),
            0xd3 => Head::Signed(i64::from_be_bytes(self.array()?)),
            0xd4..=0xd8 => self.extension(1 << (marker - 0xd4))?,
            0xd9..=0xdb => {
                let len = self.length(marker - 0xd9)?;
                Head::Text(self.take(len)?)
            }
            0xdc | 0xdd => Head::List(self.length(marker - 0xdb)?),
            0xde | 0xdf => Head::Map(self.length(marker - 0xdd)?),
            0xe0..=0xff => Head::Signed(i8::from_be_bytes([marker]).into()),
        })
    }

    fn extension(&mut self, len: usize) -> Result<Head<'de>, Error> {
        let [number] = self.array()?;
        self.take(len)?;
        Ok(Head::Extension(i8::from_be_bytes([number])))
    }

    /// The elements of a list or map of `left` elements, to which `visit` is given.
    fn within<T>(&mut self, left: usize, visit: impl FnOnce(&mut Elements<'_, 'de>) -> Result<T, Error>) -> Result<T, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::new("values nested too deep"));
        }
        let mut elements = Elements { reader: self, left };
        let value = visit(&mut elements)?;
        if elements.left > 0 {
            return Err(Error::new("too many elements, expected fewer"));
        }
        self.depth -= 1;
        Ok(value)
    }

    #[inline]
    fn visit<V: Visitor<'de>>(&mut self, head: Head<'de>, visitor: V) -> Result<V::Value, Error> {
        match head {
            Head::Null => visitor.visit_unit(),
            Head::Bool(value) => visitor.visit_bool(value),
            Head::Unsigned(value) => visitor.visit_u64(value),
            Head::Signed(value) => visitor.visit_i64(value),
            Head::Single(value) => visitor.visit_f32(value),
            Head::Double(value) => visitor.visit_f64(value),
            Head::Text(bytes) => visitor.visit_borrowed_str(text(bytes)?),
            Head::Binary(bytes) => visitor.visit_borrowed_bytes(bytes),
            Head::List(len) => self.within(len, |elements| visitor.visit_seq(elements)),
            Head::Map(len) => self.within(len, |elements| visitor.visit_map(elements)),
            Head::Extension(number) => {
                let kind = format!("a value of extension type {number}");
                Err(Error::invalid_type(Unexpected::Other(&kind), &visitor))
            }
        }
    }

    /// A list, as which binary data counts too: that of its bytes.
    fn visit_list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Binary(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            head => self.visit(head, visitor),
        }
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // Most numbers are small.
        if let Some(number @ 0x00..=0x7f) = self.bytes.get(self.at) {
            self.at += 1;
            return visitor.visit_u64((*number).into());
        }
        let head = self.head()?;
        self.visit(head, visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit_list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.visit_list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.visit_list(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek()? != 0xc0 {
            return visitor.visit_some(self);
        }
        self.at += 1;
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Text(bytes) => visitor.visit_enum(text(bytes)?.into_deserializer()),
            Head::Map(1) => self.within(1, |elements| visitor.visit_enum(elements)),
            head => self.visit(head, visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct map struct identifier ignored_any
    }
}

/// The elements of a list, the members of a map, or the one member that is an enum's variant.
struct Elements<'r, 'de> {
    reader: &'r mut Reader<'de>,
    left: usize,
}

impl Elements<'_, '_> {
    fn hint(&self) -> usize {
        self.left.min(self.reader.bytes.len() - self.reader.at)
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let key = match self.reader.head()? {
            Head::Text(bytes) => Cow::Borrowed(text(bytes)?),
            Head::Unsigned(number) => Cow::Owned(number.to_string()),
            Head::Signed(number) => Cow::Owned(number.to_string()),
            Head::Single(number) if number.is_finite() => Cow::Owned(number.to_string()),
            Head::Double(number) if number.is_finite() => Cow::Owned(number.to_string()),
            Head::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            _ => return Err(key::refused()),
        };
        key::read(key, seed).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

impl<'de> EnumAccess<'de> for &mut Elements<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Error> {
        let variant = self.next_key_seed(seed)?.ok_or_else(cut_short)?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Elements<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.next_value()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        self.next_value_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.reader.visit_list(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.reader.deserialize_any(visitor)
    }
}
