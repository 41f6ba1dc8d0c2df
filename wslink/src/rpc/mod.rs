//! Remote procedure calls: what the macros describe, the table built from it, and the way of a call
//! from its request to its reply.

#[cfg(feature = "server")]
pub(crate) use self::registry::Mounted;
pub use self::{
    bind::ArgumentError,
    call::{Args, Call, Outcome, Output, Parameter, ParameterKind, Plain, Reply, Returned},
    descriptor::{Location, MethodDescriptor, ParameterDescriptor, Registration, Service, ServiceDescriptor, TopicDescriptor},
};
pub(crate) use self::{
    call::refusal,
    dispatch::{BlockingCall, Caller, Dispatched, PendingCall, dispatch},
    registry::Routes,
};
pub use crate::error::RpcError;

mod bind;
mod call;
mod descriptor;
mod dispatch;
mod registry;
