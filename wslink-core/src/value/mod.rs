//! A value of unknown shape: what untyped arguments, untyped publications and error data are made of.
//!
//! Typed handlers never pass through it.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de,
    ser::{SerializeMap, SerializeSeq},
};

pub use self::attachment::Attachment;

pub mod attachment;

/// Anything that a wslink message can carry.
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::Value;
///
/// let value = Value::map([("n", Value::from(3)), ("text", Value::from("x"))]);
/// assert_eq!(value.get("n"), Some(&Value::Integer(3)));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`, `None`.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer that fits `i64`.
    Integer(i64),
    /// An integer above `i64::MAX`.
    Unsigned(u64),
    /// A number with a fraction or exponent, infinities and NaN included.
    Float(f64),
    /// Text.
    Text(String),
    /// Binary data.
    Binary(Attachment),
    /// A list.
    List(Vec<Value>),
    /// A map with text keys, in the order of the message.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// A map of the given members, in their order.
    #[must_use]
    pub fn map<K: Into<String>, V: Into<Self>>(members: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Map(members.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// The member `key` of a map; `None` when there is none or this is no map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, when it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($type:ty => $value:expr;)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                let into: fn($type) -> Self = $value;
                into(value)
            }
        }
    )*};
}

from! {
    bool => Self::Bool;
    i32 => |value| Self::Integer(value.into());
    i64 => Self::Integer;
    u32 => |value| Self::Integer(value.into());
    u64 => |value| i64::try_from(value).map_or(Self::Unsigned(value), Self::Integer);
    usize => |value| Self::from(value as u64);
    f64 => Self::Float;
    &str => |value| Self::Text(value.to_owned());
    String => Self::Text;
    Attachment => Self::Binary;
    Vec<Self> => Self::List;
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Binary(value) => value.serialize(serializer),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> de::Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_bytes<E: de::Error>(self, slice: &[u8]) -> Result<Value, E> {
        let bytes = de::value::BytesDeserializer::<E>::new(slice);
        Attachment::deserialize(bytes).map(Value::Binary)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(member) = members.next_entry::<Key, Value>()? {
            map.push((member.0.0, member.1));
        }
        Ok(Value::Map(map))
    }
}

/// A map key: text, or a number written as text, since MessagePack allows both.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Text(text) => Ok(Self(text)),
            Value::Integer(number) => Ok(Self(number.to_string())),
            Value::Unsigned(number) => Ok(Self(number.to_string())),
            _ => Err(de::Error::custom("a map key must be text or an integer")),
        }
    }
}
