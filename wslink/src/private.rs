//! The complete list of names that generated code may use. Nothing here is API: it changes without
//! notice.

use std::any::TypeId;
pub use std::{column, default::Default, env, file, line};

pub use inventory;

pub use crate::{
    __wslink_here as here,
    rpc::{Location, MethodDescriptor, Plain, Returned, Service, ServiceDescriptor, TopicDescriptor},
    topic::Delivery,
};
use crate::{
    Payload, Topic,
    rpc::{ArgumentError, Outcome, Parameter, ParameterDescriptor, Registration},
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
}

impl<T> AnyTopic for Topic<T> {
    type Itself = Self;
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

/// A parameter with a default.
#[must_use]
#[track_caller]
pub const fn optional<T: Parameter>(name: &'static str) -> ParameterDescriptor {
    ParameterDescriptor::optional::<T>(name)
}

/// The outcome of a shim whose method has returned.
pub const fn done(reply: Encoded) -> Result<Outcome, ArgumentError> {
    Ok(Outcome::done(reply))
}

/// The outcome of a shim whose method is asynchronous.
pub fn future(handler: impl Future<Output = Encoded> + Send + 'static) -> Result<Outcome, ArgumentError> {
    Ok(Outcome::future(handler))
}

/// The outcome of a shim whose method may block.
pub fn blocking(handler: impl FnOnce() -> Encoded + Send + 'static) -> Result<Outcome, ArgumentError> {
    Ok(Outcome::blocking(handler))
}

/// The type of a service, for a static.
#[must_use]
pub fn type_id<T: 'static>() -> TypeId {
    TypeId::of::<T>()
}
