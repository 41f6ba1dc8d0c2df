//! Values → JSON text: a serde serializer that takes attachments out as it goes.

use bytes::Bytes;
use memchr::memmem;
use serde::{Serialize, Serializer, ser};

use super::place::place;
use crate::{
    codec::{Error, Narrow, key, narrow},
    value::attachment,
};

pub(in super::super) struct Writer {
    text: Vec<u8>,
    attachments: Vec<(String, Bytes)>,
    /// How often a key was written.
    references: usize,
    next_key: fn() -> String,
    sharing: bool,
}

/// A message: its text, and each attachment that it refers to with its key.
pub(in super::super) struct Written {
    pub(in super::super) text: Vec<u8>,
    pub(in super::super) attachments: Vec<(String, Bytes)>,
}

impl Writer {
    pub(in super::super) fn new(next_key: fn() -> String) -> Self {
        Self { text: Vec::with_capacity(128), attachments: Vec::new(), references: 0, next_key, sharing: true }
    }

    /// Gives every attachment a key of its own, for readers that take a key for its attachment once.
    pub(in super::super) fn without_sharing(self) -> Self {
        Self { sharing: false, ..self }
    }

    /// Text that is JSON, or a part of it, already.
    pub(in super::super) fn raw(&mut self, json: &[u8]) {
        self.text.extend_from_slice(json);
    }

    /// Bytes written so far.
    pub(in super::super) const fn len(&self) -> usize {
        self.text.len()
    }

    /// The byte at `place`.
    pub(in super::super) fn byte(&self, place: usize) -> Option<u8> {
        self.text.get(place).copied()
    }

    /// What was written. `None` where another text of the message equals a
    /// key: readers could not tell the two apart.
    pub(in super::super) fn finish(self) -> Option<Written> {
        let literal = |key: &String| format!("\"{key}\"");
        let found: usize = self.attachments.iter().map(|(key, _)| memmem::find_iter(&self.text, &literal(key)).count()).sum();
        (found == self.references).then_some(Written { text: self.text, attachments: self.attachments })
    }

    /// The key of `bytes`; the same buffer has the same key wherever it stands in the message.
    fn attach(&mut self, bytes: Bytes) -> &str {
        let same = |(_, known): &(String, Bytes)| {
            self.sharing && known.as_ptr() == bytes.as_ptr() && known.len() == bytes.len() && !bytes.is_empty()
        };
        let at = self.attachments.iter().position(same).unwrap_or_else(|| {
            self.attachments.push(((self.next_key)(), bytes));
            self.attachments.len() - 1
        });
        &self.attachments[at].0
    }

    pub(in super::super) fn json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        serde_json::to_writer(&mut self.text, value).map_err(ser::Error::custom)
    }

    /// A value, whose error names its place.
    pub(in super::super) fn value(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        let start = self.text.len();
        value.serialize(&mut *self).map_err(|error| error.at(place(&self.text[start..]).into_iter()))
    }

    fn integer(&mut self, value: impl itoa::Integer) {
        self.text.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    fn float(&mut self, value: f64) -> Result<(), Error> {
        let word: &[u8] = match value {
            f64::INFINITY => b"Infinity",
            f64::NEG_INFINITY => b"-Infinity",
            _ if value.is_nan() => b"NaN",
            _ => return self.json(&value),
        };
        self.text.extend_from_slice(word);
        Ok(())
    }

    fn narrow(&mut self, value: Narrow) {
        match value {
            Narrow::Signed(value) => self.integer(value),
            Narrow::Unsigned(value) => self.integer(value),
        }
    }

    fn open(&mut self, opening: u8, closing: &'static [u8]) -> Elements<'_> {
        self.text.push(opening);
        Elements { writer: self, closing }
    }

    /// Begins another element of the innermost list or object. Only the first one follows a bracket, since no value
    /// ends with an opening one.
    #[inline]
    fn separate(&mut self) {
        if !matches!(self.text.last(), Some(b'[' | b'{')) {
            self.text.push(b',');
        }
    }

    /// `{"variant":`
    fn variant(&mut self, variant: &str) -> Result<(), Error> {
        self.text.push(b'{');
        self.json(variant)?;
        self.text.push(b':');
        Ok(())
    }
}

macro_rules! integers {
    ($($method:ident($type:ty)),*) => {$(
        fn $method(self, value: $type) -> Result<(), Error> {
            self.integer(value);
            Ok(())
        }
    )*};
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Elements<'a>;
    type SerializeTupleVariant = Elements<'a>;
    type SerializeMap = Elements<'a>;
    type SerializeStruct = Elements<'a>;
    type SerializeStructVariant = Elements<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.json(&value)
    }

    integers! {
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64)
    }

    fn serialize_i128(self, value: i128) -> Result<(), Error> {
        self.narrow(narrow(value)?);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.narrow(narrow(value)?);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        if value.is_finite() { self.json(&value) } else { self.float(value.into()) }
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.float(value)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.json(&value)
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.json(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        let bytes = attachment::borrow(value).unwrap_or_else(|| Bytes::copy_from_slice(value));
        let key = self.attach(bytes).to_owned();
        self.references += 1;
        self.json(&key)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.text.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.json(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.text.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements<'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Elements<'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Elements<'a>, Error> {
        self.variant(variant)?;
        Ok(self.open(b'[', b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Elements<'a>, Error> {
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Elements<'a>, Error> {
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Elements<'a>, Error> {
        self.variant(variant)?;
        Ok(self.open(b'{', b"}}"))
    }
}

/// An open list or object.
pub(in super::super) struct Elements<'a> {
    writer: &'a mut Writer,
    closing: &'static [u8],
}

impl Elements<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.writer.separate();
        value.serialize(&mut *self.writer)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.writer.separate();
        self.writer.json(name)?;
        self.value(value)
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.writer.text.push(b':');
        value.serialize(&mut *self.writer)
    }

    fn close(self) -> Result<(), Error> {
        self.writer.text.extend_from_slice(self.closing);
        Ok(())
    }
}

impl ser::SerializeMap for Elements<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.writer.separate();
        key::write(key, |text| self.writer.json(text))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

macro_rules! sequences {
    ($($trait:ident::$method:ident),*) => {$(
        impl ser::$trait for Elements<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        }
    )*};
}

sequences! {
    SerializeSeq::serialize_element, SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field, SerializeTupleVariant::serialize_field
}

macro_rules! structs {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Elements<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        }
    )*};
}

structs! { SerializeStruct, SerializeStructVariant }

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Attachment;

    fn write(value: &impl Serialize) -> (String, Vec<(String, Bytes)>) {
        let mut writer = Writer::new(|| "wslink_bin0".to_owned());
        value.serialize(&mut writer).unwrap();
        let Written { text, attachments } = writer.finish().unwrap();
        (String::from_utf8(text).unwrap(), attachments)
    }

    #[derive(Serialize)]
    enum Shape {
        Point,
        Circle(f64),
        Box { w: u8 },
        Line(u8, i8),
    }

    #[test]
    fn writes_what_serde_json_writes() {
        let shapes = [Shape::Point, Shape::Circle(1.0), Shape::Box { w: 1 }, Shape::Line(3, -4)];
        assert_eq!(write(&shapes).0, serde_json::to_string(&shapes).unwrap());
        let map = BTreeMap::from([(1_u8, (Some("é\n\"\u{1}"), None::<u8>, 'x', 0.1_f32)), (2, (None, None, 'y', 1e20))]);
        assert_eq!(write(&map).0, serde_json::to_string(&map).unwrap());
    }

    #[test]
    fn special_numbers_are_words() {
        assert_eq!(write(&[f64::INFINITY, f64::NAN, f64::NEG_INFINITY]).0, "[Infinity,NaN,-Infinity]");
        assert_eq!(write(&[f32::NAN, 6.0]).0, "[NaN,6.0]");
        assert_eq!(write(&(u64::MAX, i64::MIN)).0, "[18446744073709551615,-9223372036854775808]");
    }

    #[test]
    fn binary_data_is_taken_out() {
        let (text, attachments) = write(&Some([Attachment::from_static(b"abc")]));
        assert_eq!(text, r#"["wslink_bin0"]"#);
        assert_eq!(attachments, [("wslink_bin0".to_owned(), Bytes::from_static(b"abc"))]);
    }
}
