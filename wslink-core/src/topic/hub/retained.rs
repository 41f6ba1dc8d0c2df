//! The last payloads of the topics that keep them, for clients that come later. Of each payload only its bytes are
//! kept, so that none of the application's code runs when it is encoded for such a client.

use std::{
    cell::RefCell,
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use serde::{
    Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
    ser::{Error as _, SerializeMap, SerializeSeq},
};

use super::publication::encode;
use crate::{
    topic::{
        authorization::Restriction,
        event::{Event, Source},
        protocols::{BASE, PerProtocol, Spoken},
    },
    value::attachment,
    wire::{self, Encoded, Protocol},
};

/// The last event of a topic.
pub(super) struct Retained {
    pub(super) topic: &'static str,
    pub(super) require: Option<&'static str>,
    pub(super) restriction: Option<Arc<Restriction>>,
    /// Its frames, in each protocol that was needed so far: at least in that of [`BASE`], of which the others are made.
    frames: PerProtocol<OnceLock<Encoded>>,
    /// The message in that protocol, in one piece.
    message: OnceLock<Bytes>,
}

impl Retained {
    pub(super) fn new(
        topic: &'static str,
        require: Option<&'static str>,
        restriction: Option<Arc<Restriction>>,
        frames: PerProtocol<Option<Encoded>>,
    ) -> Self {
        let frames = frames.map(|frames| frames.map_or_else(OnceLock::new, OnceLock::from));
        Self { topic, require, restriction, frames, message: OnceLock::new() }
    }

    /// Whether it can be had in that protocol without work.
    pub(super) fn is_ready(&self, wire: Spoken) -> bool {
        self.frames[wire.place].get().is_some()
    }

    /// For a client that receives everything.
    pub(super) fn event(&self, wire: Spoken) -> Event {
        let message = self.frames[wire.place].get_or_init(|| encode(wire.protocol, self.topic, None, &Payload(self.message())));
        Event::new(Source::Uncounted, message.clone()).restricted(self.restriction.clone())
    }

    /// For a subscription that begins.
    pub(super) fn first(&self, wire: &dyn Protocol, subscription: u64) -> Event {
        let message = encode(wire, self.topic, Some(subscription), &Payload(self.message()));
        Event::new(Source::Retained(subscription), message).restricted(self.restriction.clone())
    }

    fn message(&self) -> &Bytes {
        self.message.get_or_init(|| self.frames[BASE].get().map(wire::joined).unwrap_or_default())
    }
}

/// The payload of an event in one piece.
struct Payload<'a>(&'a Bytes);

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // What is large in it stays where it is.
        attachment::lend(self.0, || {
            let mut message = rmp_serde::Deserializer::from_read_ref(&**self.0);
            message.deserialize_map(Find(serializer)).map_err(S::Error::custom)
        })
    }
}

/// Finds the payload in a message and gives it to a serializer.
struct Find<S>(S);

impl<'de, S: Serializer> Visitor<'de> for Find<S> {
    type Value = S::Ok;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut message: A) -> Result<S::Ok, A::Error> {
        let mut serializer = Some(self.0);
        let mut found = None;
        while let Some(key) = message.next_key::<&str>()? {
            match serializer.take_if(|_| key == "result") {
                Some(serializer) => found = Some(message.next_value_seed(Transcode(serializer))?),
                None => drop(message.next_value::<IgnoredAny>()?),
            }
        }
        found.ok_or_else(|| A::Error::custom("it could not be serialised when it was published"))
    }
}

/// Gives a value that is read to a serializer.
struct Transcode<S>(S);

impl<'de, S: Serializer> DeserializeSeed<'de> for Transcode<S> {
    type Value = S::Ok;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Ok, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A value that is read when it is serialised, which is once.
struct Unread<D>(RefCell<Option<D>>);

impl<'de, D: Deserializer<'de>> Serialize for Unread<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.0.take().ok_or_else(|| S::Error::custom("serialised twice"))?;
        Transcode(serializer).deserialize(value).map_err(S::Error::custom)
    }
}

/// Gives the next value of a list or map to what is made of it.
struct Next<F>(F);

impl<'de, F: FnOnce(&dyn erased_serde::Serialize) -> Result<(), String>> DeserializeSeed<'de> for Next<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        (self.0)(&Unread(RefCell::new(Some(deserializer)))).map_err(D::Error::custom)
    }
}

macro_rules! scalars {
    ($($visit:ident($type:ty) $serialize:ident)*) => {
        $(fn $visit<E: serde::de::Error>(self, value: $type) -> Result<S::Ok, E> {
            self.0.$serialize(value).map_err(E::custom)
        })*
    };
}

impl<'de, S: Serializer> Visitor<'de> for Transcode<S> {
    type Value = S::Ok;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    scalars! {
        visit_bool(bool) serialize_bool
        visit_i64(i64) serialize_i64
        visit_u64(u64) serialize_u64
        visit_f32(f32) serialize_f32
        visit_f64(f64) serialize_f64
        visit_str(&str) serialize_str
        visit_bytes(&[u8]) serialize_bytes
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<S::Ok, E> {
        self.0.serialize_unit().map_err(E::custom)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<S::Ok, E> {
        self.0.serialize_none().map_err(E::custom)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<S::Ok, D::Error> {
        self.deserialize(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<S::Ok, A::Error> {
        let mut made = self.0.serialize_seq(list.size_hint()).map_err(A::Error::custom)?;
        while let Some(()) =
            list.next_element_seed(Next(|value: &dyn erased_serde::Serialize| made.serialize_element(value).map_err(text)))?
        {
        }
        made.end().map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<S::Ok, A::Error> {
        let mut made = self.0.serialize_map(map.size_hint()).map_err(A::Error::custom)?;
        while let Some(()) = map.next_key_seed(Next(|key: &dyn erased_serde::Serialize| made.serialize_key(key).map_err(text)))? {
            map.next_value_seed(Next(|value: &dyn erased_serde::Serialize| made.serialize_value(value).map_err(text)))?;
        }
        made.end().map_err(A::Error::custom)
    }
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}
