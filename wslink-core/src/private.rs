//! The complete list of names that generated code may use. Nothing here is API: it changes without
//! notice.

use std::{
    any::TypeId,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};
pub use std::{
    clone::Clone,
    column, compile_error,
    convert::{From, Into},
    default::Default,
    env,
    error::Error as StdError,
    file,
    fmt::{Debug, Display, Formatter, Result as FmtResult},
    line,
    option::Option::{self, None, Some},
    unreachable, vec, write,
};

use futures_util::Stream;
pub use inventory;

pub use crate::Topic;
pub use crate::Value;
#[cfg(feature = "manifest")]
pub use crate::manifest::{Argument, HasSchema, Probe, Signature, Unknown};
pub use crate::{
    __wslink_error_fields as error_fields, __wslink_here as here, __wslink_method_types as types,
    __wslink_payload_type as payload, __wslink_require_schemas as require_schemas, CallError,
    manifest::{ErrorFields, MethodTypes, PayloadType},
    rpc::{
        ErrorDescriptor, FieldOf, Location, MethodDescriptor, Plain, Returned, RpcError, Service, ServiceDescriptor,
        TopicDescriptor, Unread, internal, told, told_variant,
    },
    topic::Delivery,
};
use crate::{
    Payload,
    rpc::{ArgumentError, ErrorField, Outcome, Parameter, ParameterDescriptor, ParameterKind, Registration, Terms},
    wire::Encoded,
};

/// What `#[rpc]` and `#[topic]` stand for where the user did not import them.
pub mod attributes {
    pub use wslink_macros::{rpc, topic};
}

/// The place in the source that the tokens of the call are from.
#[doc(hidden)]
#[macro_export]
macro_rules! __wslink_here {
    () => {
        $crate::__private::Location {
            file: $crate::__private::file!(),
            line: $crate::__private::line!(),
            column: $crate::__private::column!(),
        }
    };
}

/// The type of a `#[topic]` constant: a [`Topic`], whatever alias the user has for it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of a topic",
    label = "not a `Topic<…>`",
    note = "write `wslink::Topic<T>`, where `T` is what is published"
)]
pub trait AnyTopic {
    /// Itself.
    type Itself;
    /// What is published.
    type Payload;
}

impl<T> AnyTopic for Topic<T> {
    type Itself = Self;
    type Payload = T;
}

/// The value of a `#[topic]` constant.
// By way of the trait, a type that is no topic has one thing wrong with it, and not two.
#[must_use]
pub const fn topic<T: AnyTopic<Itself = Topic<P>>, P: Payload>(uri: &'static str, delivery: Delivery) -> T::Itself {
    Topic::new(uri, delivery)
}

/// What a service submits to `inventory`.
#[must_use]
pub const fn registration<S: Service>() -> Registration {
    Registration(S::DESCRIPTOR)
}

/// A parameter without a default.
#[must_use]
pub const fn required<T: Parameter>(name: &'static str) -> ParameterDescriptor {
    ParameterDescriptor::required::<T>(name)
}

/// A parameter that is no argument.
#[must_use]
#[track_caller]
pub const fn context<T: Parameter>(name: &'static str) -> ParameterDescriptor {
    assert!(
        matches!(T::KIND, ParameterKind::Context),
        "`#[arg(context)]` on an argument of the call; remove it, or implement `wslink::rpc::Parameter` for the type"
    );
    ParameterDescriptor::required::<T>(name)
}

/// A parameter with a default.
#[must_use]
#[track_caller]
pub const fn optional<T: Parameter>(name: &'static str, default: &'static str) -> ParameterDescriptor {
    ParameterDescriptor::optional::<T>(name, default)
}

/// The outcome of a shim whose method has returned.
pub const fn done(reply: Encoded) -> Result<Outcome, ArgumentError> {
    Ok(Outcome::done(reply))
}

/// The outcome of a shim whose method is asynchronous.
pub fn future(handler: impl Future<Output = Encoded> + Send + 'static) -> Result<Outcome, ArgumentError> {
    Ok(Outcome::future(handler))
}

/// The outcome of a shim whose method is asynchronous and goes on without its client.
pub fn detached(handler: impl Future<Output = Encoded> + Send + 'static) -> Result<Outcome, ArgumentError> {
    Ok(Outcome::detached(handler))
}

/// What the function of a topic returned.
pub struct Streamed<S>(pub S);

impl<S> Streamed<S> {
    /// The outcome of a shim that makes the stream of a subscription.
    // The bounds are the method's, so that a type without them is told so where it is written.
    pub fn events(self) -> Result<Outcome, ArgumentError>
    where
        S: TopicStream<Item: Payload + Send + 'static>,
    {
        Ok(Outcome::events(self.0))
    }
}

/// The events of one subscription.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the stream of a topic",
    label = "not a stream that can be sent between threads and owns its data",
    note = "write `-> impl Stream<Item = T> + Send + 'static`"
)]
pub trait TopicStream: Stream + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<S: Stream + Send + 'static> TopicStream for S {}

/// What is asked of a method's calls; 0 ms are as long as it likes.
#[must_use]
pub const fn terms(milliseconds: u64, require: Option<&'static str>) -> Terms {
    let timeout = if milliseconds == 0 { None } else { Some(Duration::from_millis(milliseconds)) };
    Terms { timeout, require }
}

/// The stream of a topic that everybody shares.
pub const SHARED: Option<MethodDescriptor> = None;

/// The stream of a topic of which each subscription has its own.
#[must_use]
pub const fn own(stream: MethodDescriptor) -> Option<MethodDescriptor> {
    Some(stream)
}

/// What tells the things apart of which `latest(key = …)` keeps one event each.
#[must_use]
pub fn key(field: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    field.hash(&mut hasher);
    // 0 is no key.
    hasher.finish().max(1)
}

/// The outcome of a shim whose method may block.
pub fn blocking(handler: impl FnOnce() -> Encoded + Send + 'static) -> Result<Outcome, ArgumentError> {
    Ok(Outcome::blocking(handler))
}

/// A field of an error's data.
pub fn error_field<T: ErrorField>(field: &T) -> &dyn erased_serde::Serialize {
    field.as_serialize()
}

/// An error that is the cause of another.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the cause of an RPC error",
    label = "not an error",
    note = "implement `std::error::Error` for it, or call the field something else than `source`"
)]
pub trait Cause: Sized {
    /// As an error.
    fn as_error(&self) -> &(dyn StdError + 'static);
}

#[diagnostic::do_not_recommend]
impl<T: StdError + 'static> Cause for T {
    fn as_error(&self) -> &(dyn StdError + 'static) {
        self
    }
}

/// The cause of an error.
pub fn cause<T: Cause>(source: &T) -> &(dyn StdError + 'static) {
    source.as_error()
}

/// The type of a service, for a static.
#[must_use]
pub fn type_id<T: 'static>() -> TypeId {
    TypeId::of::<T>()
}
