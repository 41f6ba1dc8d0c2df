//! JSON text → values: a serde deserializer over a [`Cursor`].

use std::borrow::Cow;

use bytes::Bytes;
use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
        value::SeqDeserializer,
    },
    forward_to_deserialize_any,
};

use super::{
    super::super::{Format, Source, Span},
    Cursor,
};
use crate::{
    codec::{Error, key},
    value::attachment,
};

/// Values as JSON.
pub(in super::super) struct Json;

impl Format for Json {
    fn deserialize(
        &self,
        source: &mut Source<'_>,
        span: Span,
        with: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), erased_serde::Error>,
    ) -> Result<(), erased_serde::Error> {
        let text = std::str::from_utf8(&source.body[span.range()]).map_err(serde::de::Error::custom)?;
        let mut reader = Reader { cursor: Cursor::new(text), attachment: source.attachment };
        with(&mut <dyn erased_serde::Deserializer<'_>>::erase(&mut reader))
    }
}

struct Reader<'a, 'k> {
    cursor: Cursor<'a>,
    attachment: &'k mut dyn FnMut(&str) -> Option<Bytes>,
}

#[cold]
fn malformed() -> Error {
    Error::new("malformed JSON")
}

impl<'a> Reader<'a, '_> {
    fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        self.cursor.string().and_then(|literal| literal.decode()).ok_or_else(malformed)
    }

    fn visit_string<'de, V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error>
    where
        'a: 'de,
    {
        let text = self.string()?;
        if let Some(bytes) = (self.attachment)(&text) {
            return attachment::lend(&bytes, || visitor.visit_bytes(&bytes));
        }
        match text {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn visit_word<'de, V: Visitor<'de>>(&mut self, visitor: V, wants_integer: bool) -> Result<V::Value, Error> {
        let word = self.cursor.word().ok_or_else(malformed)?;
        match word {
            "null" => visitor.visit_unit(),
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            "NaN" => visitor.visit_f64(f64::NAN),
            "Infinity" => visitor.visit_f64(f64::INFINITY),
            "-Infinity" => visitor.visit_f64(f64::NEG_INFINITY),
            number => {
                // Each vain attempt makes an error, which costs more than the number.
                let may_be_integer = !number.contains(['.', 'e', 'E']);
                if may_be_integer && let Ok(number) = serde_json::from_str::<u64>(number) {
                    visitor.visit_u64(number)
                } else if may_be_integer && let Ok(number) = serde_json::from_str::<i64>(number) {
                    visitor.visit_i64(number)
                } else {
                    let value = serde_json::from_str(number).map_err(|_| malformed())?;
                    if may_be_integer && wants_integer {
                        return Err(Error::invalid_value(Unexpected::Other(&format!("integer `{number}`")), &visitor));
                    }
                    visitor.visit_f64(value)
                }
            }
        }
    }
}

/// Where an integer is wanted, one of more than 64 bits is refused. Elsewhere it is a floating-point number, since
/// JavaScript writes large ones of those without fraction and exponent.
macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.cursor.peek() {
                Some(b'-' | b'0'..=b'9') => self.visit_word(visitor, true),
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Reader<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.cursor.peek().ok_or_else(malformed)? {
            b'"' => self.visit_string(visitor),
            b'[' => {
                let mut items = Elements::open(self, b'[', b']')?;
                let value = visitor.visit_seq(&mut items)?;
                items.close()?;
                Ok(value)
            }
            b'{' => {
                let mut members = Elements::open(self, b'{', b'}')?;
                let value = visitor.visit_map(&mut members)?;
                members.close()?;
                Ok(value)
            }
            _ => self.visit_word(visitor, false),
        }
    }

    /// An attachment is a list of its bytes to those that want a list, as it is in protocol 2.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.cursor.peek() != Some(b'"') {
            return self.deserialize_any(visitor);
        }
        let text = self.string()?;
        match (self.attachment)(&text) {
            Some(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            None => visitor.visit_str(&text),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.cursor.peek() == Some(b'n') { self.visit_word(NullAsNone(visitor), false) } else { visitor.visit_some(self) }
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
        match self.cursor.peek() {
            Some(b'"') => visitor.visit_enum(self.string()?.into_deserializer()),
            Some(b'{') => {
                let mut members = Elements::open(self, b'{', b'}')?;
                let value = visitor.visit_enum(&mut members)?;
                members.close()?;
                Ok(value)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool f32 f64 char str string bytes byte_buf unit unit_struct map struct identifier ignored_any
    }
}

/// `null` where an `Option` is wanted.
struct NullAsNone<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for NullAsNone<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(f)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }
}

/// The elements of a list, the members of an object, or the one member that is an enum's variant.
struct Elements<'r, 'de, 'k> {
    reader: &'r mut Reader<'de, 'k>,
    closing: u8,
    first: bool,
    ended: bool,
}

impl<'r, 'de, 'k> Elements<'r, 'de, 'k> {
    fn open(reader: &'r mut Reader<'de, 'k>, opening: u8, closing: u8) -> Result<Self, Error> {
        reader.cursor.open(opening).ok_or_else(malformed)?;
        Ok(Self { reader, closing, first: true, ended: false })
    }

    fn more(&mut self) -> Result<bool, Error> {
        let more = !self.ended && self.reader.cursor.more(&mut self.first, self.closing).ok_or_else(malformed)?;
        self.ended = !more;
        Ok(more)
    }

    /// The visitor has seen all it wanted; nothing may be left.
    fn close(&mut self) -> Result<(), Error> {
        match self.more()? {
            true => Err(Error::new("too many elements, expected fewer")),
            false => Ok(()),
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        match self.more()? {
            true => seed.deserialize(&mut *self.reader).map(Some),
            false => Ok(None),
        }
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        match self.more()? {
            true => key::read(self.reader.cursor.key().and_then(|key| key.decode()).ok_or_else(malformed)?, seed).map(Some),
            false => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> EnumAccess<'de> for &mut Elements<'_, 'de, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Error> {
        let variant = self.next_key_seed(seed)?.ok_or_else(|| Error::new("expected a variant"))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Elements<'_, 'de, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.next_value()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        self.next_value_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.reader.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.reader.deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, de::DeserializeOwned};

    use super::*;

    fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
        let mut reader = Reader { cursor: Cursor::new(text), attachment: &mut |_| None };
        T::deserialize(&mut reader)
    }

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Shape {
        Point,
        Circle(f64),
        Box { w: u8, h: u8 },
        Line(u8, u8),
    }

    #[test]
    fn reads_what_serde_json_reads() {
        assert_eq!(
            read::<(u8, String, Option<i8>, bool)>(r#"[1, "a\u00e9\n", null, true]"#).unwrap(),
            (1, "aé\n".into(), None, true)
        );
        assert_eq!(
            read::<BTreeMap<u8, Vec<f32>>>(r#"{"1":[1,2.5],"2":[]}"#).unwrap(),
            BTreeMap::from([(1, vec![1.0, 2.5]), (2, vec![])])
        );
        let shapes = r#"["point",{"circle":1.5},{"box":{"w":1,"h":2}},{"line":[3,4]}]"#;
        let expected = [Shape::Point, Shape::Circle(1.5), Shape::Box { w: 1, h: 2 }, Shape::Line(3, 4)];
        assert_eq!(read::<Vec<Shape>>(shapes).unwrap(), expected);
    }

    #[test]
    fn numbers_keep_their_kind_and_size() {
        use crate::Value;
        let numbers = "[18446744073709551615,-9223372036854775808,1.0,1e3,-0.0,1e400,123456789012345678901]";
        let expected =
            [Value::Unsigned(u64::MAX), Value::Integer(i64::MIN), Value::Float(1.0), Value::Float(1000.0), Value::Float(-0.0)];
        assert!(read::<Value>(numbers).is_err(), "1e400 is no number");
        assert_eq!(read::<Value>(&numbers.replace(",1e400,123456789012345678901", "")).unwrap(), Value::List(expected.into()));
        assert_eq!(read::<f64>("123456789012345678901").unwrap(), 123456789012345678901.0);
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(read::<u8>(r#""x""#).unwrap_err().to_string(), "invalid type: string \"x\", expected u8");
        assert!(read::<(u8, u8)>("[1,2,3]").is_err());
        assert!(read::<(u8, u8)>("[1]").is_err());
        for malformed in ["[1,", "01", "+1", "1.", ".5", "nul", "\"\\x\"", "\"\n\"", "{\"a\" 1}", "{1:2}"] {
            assert!(read::<crate::Value>(malformed).is_err(), "{malformed}");
        }
    }
}
