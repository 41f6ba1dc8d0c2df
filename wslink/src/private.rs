//! The complete list of names that generated code may use. Nothing here is API: it changes without
//! notice.

use std::any::TypeId;
pub use std::{column, default::Default, env, file, line, result::Result::Ok};

pub use inventory;

pub use crate::{
    __wslink_here as here,
    rpc::{
        Location, MethodDescriptor, Outcome, ParameterDescriptor, Plain, Registration, Returned, Service, ServiceDescriptor,
        TopicDescriptor,
    },
    topic::Delivery,
};
use crate::{Payload, Topic};

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
    type Topic;
}

impl<T: Payload> AnyTopic for Topic<T> {
    type Topic = Self;
}

/// What a service submits to `inventory`.
#[must_use]
pub const fn registration<S: Service>() -> Registration {
    Registration(S::DESCRIPTOR)
}

/// The type of a service, for a static.
#[must_use]
pub fn type_id<T: 'static>() -> TypeId {
    TypeId::of::<T>()
}
