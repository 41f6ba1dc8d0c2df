//! Converts the error of a handler into the error reply of its call.
//!
//! The derive describes an error as `&'static` data; everything that it does not write out is here.

use std::{convert::Infallible, error::Error as StdError, fmt, marker::PhantomData};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{CallError, ErrorCode};
use crate::{codec::msgpack, schema::ErrorFields, value::Value};

/// An error that a handler may return, and how it reaches the client.
///
/// [Derive it](derive@crate::RpcError) for errors that callers should tell apart:
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::RpcError;
///
/// #[derive(Debug, RpcError)]
/// enum RenderError {
///     /// The view has no camera.
///     #[rpc_error(code = 404)]
///     NoCamera { view: String },
///     #[rpc_error(internal)]
///     Io(#[from] std::io::Error),
/// }
/// ```
///
/// or implement it, to choose every byte. For everything else return `Result<T, wslink::Internal>` and
/// use `?`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of an RPC method",
    label = "not an RPC error",
    note = "if the type is yours, derive `wslink::RpcError` for it to choose what clients are told",
    note = "for any error, return `Result<_, wslink::Internal>` and use `?`: clients are told \"Exception raised\", and the log why"
)]
pub trait RpcError {
    /// What clients can be told, for the manifest; nothing when it is not known.
    const VARIANTS: &'static [ErrorDescriptor] = &[];

    /// What the client is told.
    fn into_call_error(self) -> CallError;

    /// The error as a client reads it back from what it was told, for [`CallError::typed`]; `None` when
    /// it is none of those that this type tells.
    fn from_call_error(_: &CallError) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// One thing that a client can be told of a failed call.
pub struct ErrorDescriptor {
    /// What clients tell it by: `name` in the error's data.
    pub name: &'static str,
    /// The number on the wire.
    pub code: i32,
    /// The message, with the names of fields in braces.
    pub message: &'static str,
    /// Its documentation.
    pub docs: &'static str,
    /// What is in the error's data beside the name.
    pub fields: ErrorFields,
}

impl RpcError for CallError {
    fn into_call_error(self) -> CallError {
        self
    }

    fn from_call_error(error: &CallError) -> Option<Self> {
        Some(error.clone())
    }
}

impl RpcError for Infallible {
    fn into_call_error(self) -> CallError {
        match self {}
    }
}

/// Any error at all, whose text goes to the log and never to the client.
///
/// The client receives "Exception raised" with a correlation id that the log entry repeats.
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::Internal;
///
/// fn load(path: &str) -> Result<Vec<u8>, Internal> {
///     Ok(std::fs::read(path)?)
/// }
/// # assert!(load("/nonexistent").is_err());
/// ```
#[derive(Debug)]
pub struct Internal(Box<dyn StdError + Send + Sync>);

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for Internal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Internal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl RpcError for Internal {
    fn into_call_error(self) -> CallError {
        internal(&*self.0)
    }
}

/// "Exception raised", with the error and its causes in the log.
pub fn internal(error: &(dyn StdError + 'static)) -> CallError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    CallError::internal(text)
}

/// Where in an error's data its fields are that would take the place of something else there.
pub(crate) const NESTED: &str = "fields";

/// Whether a field is in [`NESTED`]: clients tell errors apart by `name`, which a field may be called as well.
pub(crate) fn is_nested(field: &str) -> bool {
    matches!(field, "name" | NESTED)
}

/// The error as its descriptor has it, with `{"name", …fields}` as data.
pub fn told(
    error: &dyn fmt::Display,
    descriptor: &ErrorDescriptor,
    fields: &[(&str, &dyn erased_serde::Serialize)],
) -> CallError {
    let code = match descriptor.code {
        -32001 => ErrorCode::Exception,
        number => ErrorCode::Application(number),
    };
    let data: Result<Vec<_>, _> = fields.iter().map(|(name, field)| value(*field).map(|value| (*name, value))).collect();
    match data {
        Ok(fields) => {
            let name = ("name", descriptor.name.into());
            let (nested, plain): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(name, _)| is_nested(name));
            let nested = (!nested.is_empty()).then(|| (NESTED, Value::map(nested)));
            CallError::new(code, error.to_string()).with_data(Value::map(std::iter::once(name).chain(plain).chain(nested)))
        }
        Err(reason) => CallError::internal(format_args!("`{}` cannot be serialised: {reason}", descriptor.name)),
    }
}

/// By way of MessagePack: errors are rare, and a serialiser into values would serve nobody else.
fn value(field: &dyn erased_serde::Serialize) -> Result<Value, String> {
    let mut bytes = Vec::new();
    msgpack::Writer::write(&mut bytes, field).map_err(|error| error.to_string())?;
    Value::deserialize(&mut msgpack::Reader::new(&bytes)).map_err(|error| error.to_string())
}

/// Which of `variants` the error is.
pub fn told_variant(error: &CallError, variants: &[ErrorDescriptor]) -> Option<usize> {
    let name = error.data()?.get("name")?.as_str()?;
    variants.iter().position(|variant| variant.name == name && variant.code == error.code().number())
}

/// A field of an error that may be read back, where its type can: the inherent method is for such
/// types, the trait's for the rest.
pub struct FieldOf<T>(PhantomData<T>);

impl<T: DeserializeOwned> FieldOf<T> {
    /// The field of that name in the error's data; one that is not there is read as nothing.
    pub fn read(error: &CallError, name: &str) -> Option<T> {
        let data = error.data()?;
        let place = if is_nested(name) { data.get(NESTED) } else { Some(data) };
        let field = place.and_then(|place| place.get(name)).unwrap_or(&Value::Null);
        let mut bytes = Vec::new();
        msgpack::Writer::write(&mut bytes, field).ok()?;
        T::deserialize(&mut msgpack::Reader::new(&bytes)).ok()
    }
}

/// `read` for types that cannot be read back.
pub trait Unread<T> {
    /// Nothing.
    fn read(_: &CallError, _: &str) -> Option<T> {
        None
    }
}

impl<T> Unread<T> for FieldOf<T> {}

/// A value that clients can be told as a part of an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be told to clients as a part of an RPC error",
    label = "cannot be sent to a client",
    note = "if the type is yours, derive `serde::Serialize` for it; else write `#[rpc_error(skip)]` on the field to keep it here"
)]
pub trait ErrorField {
    /// As serde sees it.
    fn as_serialize(&self) -> &dyn erased_serde::Serialize;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> ErrorField for T {
    fn as_serialize(&self) -> &dyn erased_serde::Serialize {
        self
    }
}
