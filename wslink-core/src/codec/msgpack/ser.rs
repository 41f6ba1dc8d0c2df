//! Values → MessagePack: a serde serializer.

use serde::{Deserialize, Serialize, Serializer, ser};
use smallvec::SmallVec;

use super::{
    super::{Error, Narrow, Step, key, narrow},
    Reader,
};

/// Where MessagePack is written to.
pub(crate) trait Output {
    /// The bytes written so far, without binary data that stays in buffers of its own.
    fn inline(&mut self) -> &mut Vec<u8>;

    /// The bytes of a binary value.
    fn binary(&mut self, bytes: &[u8]);
}

impl Output for Vec<u8> {
    fn inline(&mut self) -> &mut Vec<u8> {
        self
    }

    fn binary(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Writes one value.
pub(crate) struct Writer<'o, O> {
    output: &'o mut O,
    /// The lists and maps that are open, innermost last. Here, so that [`Elements`], which serde moves with every value,
    /// is no more than a reference.
    open: SmallVec<[Level; 4]>,
}

/// An open list or map.
struct Level {
    is_map: bool,
    written: u32,
    /// The announced number of elements; `None` where the number is written at the end.
    len: Option<u32>,
    /// The position of its first element.
    start: usize,
    /// The position of the last name or key.
    name: usize,
}

impl<'o, O: Output> Writer<'o, O> {
    /// Writes `value` to `output`.
    pub(crate) fn write(output: &'o mut O, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        let mut writer = Self { output, open: SmallVec::new() };
        value.serialize(&mut writer).map_err(|error| writer.placed(error))
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.output.inline().extend_from_slice(bytes);
    }

    #[inline]
    fn unsigned(&mut self, value: u64) {
        if let Ok(value) = u8::try_from(value) {
            return if value < 0x80 { self.raw(&[value]) } else { self.raw(&[0xcc, value]) };
        }
        put_sized(self.output.inline(), [0xcd, 0xce, 0xcf], value);
    }

    #[inline]
    fn signed(&mut self, value: i64) {
        if let Ok(value) = u64::try_from(value) {
            return self.unsigned(value);
        }
        let out = self.output.inline();
        if let Ok(value) = i8::try_from(value) {
            match value {
                -32.. => out.extend_from_slice(&value.to_be_bytes()),
                _ => put(out, 0xd0, value.to_be_bytes()),
            }
        } else if let Ok(value) = i16::try_from(value) {
            put(out, 0xd1, value.to_be_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            put(out, 0xd2, value.to_be_bytes());
        } else {
            put(out, 0xd3, value.to_be_bytes());
        }
    }

    fn narrow(&mut self, value: Narrow) {
        match value {
            Narrow::Signed(value) => self.signed(value),
            Narrow::Unsigned(value) => self.unsigned(value),
        }
    }

    #[inline]
    fn open(&mut self, is_map: bool, len: Option<usize>) -> Result<Elements<'_, 'o, O>, Error> {
        let markers = if is_map { [0x80, 0xde, 0xdf] } else { [0x90, 0xdc, 0xdd] };
        let out = self.output.inline();
        match len {
            Some(len @ ..0x10) => out.push(markers[0] | u8::try_from(len).unwrap_or_default()),
            Some(len) => put_length(out, [markers[1], markers[2]], len)?,
            None => put(out, markers[2], [0; 4]),
        }
        let start = out.len();
        self.open.push(Level { is_map, written: 0, len: len.and_then(|len| u32::try_from(len).ok()), start, name: start });
        Ok(Elements(self))
    }

    /// Begins another element of the innermost list or map.
    #[inline]
    fn begin(&mut self) {
        let Some(level) = self.open.last_mut() else { return };
        level.written = level.written.saturating_add(1);
        level.name = self.output.inline().len();
    }

    #[inline]
    fn close(&mut self) -> Result<(), Error> {
        let Some(level) = self.open.pop() else { return Ok(()) };
        match level.len {
            Some(len) if len == level.written => {}
            Some(len) => {
                return Err(Error::new(format!("its `Serialize` announces {len} elements and writes {}", level.written)));
            }
            None => {
                if let Some(len) = self.output.inline().get_mut(level.start - 4..level.start) {
                    len.copy_from_slice(&level.written.to_be_bytes());
                }
            }
        }
        Ok(())
    }

    /// A map of one member.
    fn variant(&mut self, variant: &str) -> Result<(), Error> {
        self.open(true, Some(1))?.0.begin();
        put_text(self.output.inline(), variant)
    }

    /// `error`, which the value has that was being written, with its place.
    #[cold]
    fn placed(&mut self, error: Error) -> Error {
        let out = self.output.inline();
        error.at(self.open.iter().filter_map(|level| {
            if !level.is_map {
                return Some(Step::Item((level.written as usize).saturating_sub(1)));
            }
            // There is none where the key itself is at fault.
            let name = out.get(level.name..).unwrap_or_default();
            String::deserialize(&mut Reader::new(name)).ok().map(Step::Member)
        }))
    }
}

/// A marker and what follows it.
#[inline]
fn put<const N: usize>(out: &mut Vec<u8>, marker: u8, bytes: [u8; N]) {
    out.push(marker);
    out.extend_from_slice(&bytes);
}

/// A number in 16, 32 or 64 bits, each with its marker.
fn put_sized(out: &mut Vec<u8>, markers: [u8; 3], number: u64) {
    if let Ok(number) = u16::try_from(number) {
        put(out, markers[0], number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        put(out, markers[1], number.to_be_bytes());
    } else {
        put(out, markers[2], number.to_be_bytes());
    }
}

/// The head of something that has `len` bytes or elements: with markers for lengths of 16 and 32 bits.
fn put_length(out: &mut Vec<u8>, markers: [u8; 2], len: usize) -> Result<(), Error> {
    let len = u32::try_from(len).map_err(|_| Error::new("4 GiB or larger"))?;
    put_sized(out, [markers[0], markers[1], 0xc1], len.into());
    Ok(())
}

/// Text.
#[inline]
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    match u8::try_from(text.len()) {
        Ok(len @ ..0x20) => out.push(0xa0 | len),
        Ok(len) => put(out, 0xd9, [len]),
        Err(_) => put_length(out, [0xda, 0xdb], text.len())?,
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

macro_rules! integers {
    ($($method:ident($type:ty) as $kind:ident),*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), Error> {
            self.$kind(value.into());
            Ok(())
        }
    )*};
}

impl<'a, 'o, O: Output> Serializer for &'a mut Writer<'o, O> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Elements<'a, 'o, O>;
    type SerializeTuple = Elements<'a, 'o, O>;
    type SerializeTupleStruct = Elements<'a, 'o, O>;
    type SerializeTupleVariant = Variant<'a, 'o, O>;
    type SerializeMap = Elements<'a, 'o, O>;
    type SerializeStruct = Elements<'a, 'o, O>;
    type SerializeStructVariant = Variant<'a, 'o, O>;

    integers! {
        serialize_i8(i8) as signed, serialize_i16(i16) as signed, serialize_i32(i32) as signed, serialize_i64(i64) as signed,
        serialize_u8(u8) as unsigned, serialize_u16(u16) as unsigned, serialize_u32(u32) as unsigned,
        serialize_u64(u64) as unsigned
    }

    fn serialize_i128(self, value: i128) -> Result<(), Error> {
        self.narrow(narrow(value)?);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.narrow(narrow(value)?);
        Ok(())
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.raw(&[0xc2 | u8::from(value)]);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        put(self.output.inline(), 0xca, value.to_be_bytes());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        put(self.output.inline(), 0xcb, value.to_be_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        put_text(self.output.inline(), value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        let out = self.output.inline();
        match u8::try_from(value.len()) {
            Ok(len) => put(out, 0xc4, [len]),
            Err(_) => put_length(out, [0xc5, 0xc6], value.len())?,
        }
        self.output.binary(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.raw(&[0xc0]);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
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
        self.close()
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        self.open(false, len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, Error> {
        self.open(false, Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Self::SerializeTupleStruct, Error> {
        self.open(false, Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        self.variant(variant)?;
        self.open(false, Some(len)).map(Variant)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, Error> {
        self.open(true, len)
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Self::SerializeStruct, Error> {
        self.open(true, Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        self.variant(variant)?;
        self.open(true, Some(len)).map(Variant)
    }
}

/// The innermost list or map.
pub(crate) struct Elements<'a, 'o, O>(&'a mut Writer<'o, O>);

/// The content of a variant: the innermost list or map, in a map of one member.
pub(crate) struct Variant<'a, 'o, O>(Elements<'a, 'o, O>);

impl<O: Output> Elements<'_, '_, O> {
    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.begin();
        value.serialize(&mut *self.0)
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.0.begin();
        put_text(self.0.output.inline(), name)?;
        value.serialize(&mut *self.0)
    }
}

impl<O: Output> ser::SerializeMap for Elements<'_, '_, O> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.0.begin();
        key::write(key, |text| put_text(self.0.output.inline(), text))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut *self.0)
    }

    fn end(self) -> Result<(), Error> {
        self.0.close()
    }
}

macro_rules! sequences {
    ($($trait:ident::$method:ident),*) => {$(
        impl<O: Output> ser::$trait for Elements<'_, '_, O> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.0.close()
            }
        }
    )*};
}

sequences! { SerializeSeq::serialize_element, SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field }

impl<O: Output> ser::SerializeStruct for Elements<'_, '_, O> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.field(name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.0.close()
    }
}

impl<O: Output> Variant<'_, '_, O> {
    fn close(self) -> Result<(), Error> {
        let Self(Elements(writer)) = self;
        writer.close()?;
        writer.close()
    }
}

impl<O: Output> ser::SerializeTupleVariant for Variant<'_, '_, O> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.element(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl<O: Output> ser::SerializeStructVariant for Variant<'_, '_, O> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.0.field(name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}
