//! The complete list of names that generated code may use. Nothing here is API: it changes without
//! notice.

pub use std::{any::TypeId, sync::Arc};

pub use inventory;

pub use crate::{
    rpc::{
        ArgumentError, Call, Location, MethodDescriptor, Outcome, ParameterDescriptor, Plain, Registration, Reply, Returned, Service,
        ServiceDescriptor, TopicDescriptor,
    },
    topic::{Delivery, Payload, Topic},
};

/// The value of a `#[topic]` constant.
#[must_use]
pub const fn topic<T: Payload>(uri: &'static str, delivery: Delivery) -> Topic<T> {
    Topic::new(uri, delivery)
}

/// The type of a service, for a static.
#[must_use]
pub fn type_id<T: 'static>() -> TypeId {
    TypeId::of::<T>()
}
