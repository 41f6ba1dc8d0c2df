//! Remote procedure calls: what the macros describe, the table built from it, and the way of a call
//! from its request to its reply.

pub use self::bind::Bound;
pub(crate) use self::dispatch::{CallContext, Control, Dispatched, control, dispatch, subscribe};
#[doc(hidden)]
pub use self::handlers::{Erasure, Handlers, NotSend, NotShared, SharedByCalls};
#[cfg(feature = "manifest")]
pub use self::probe::{Argument, HasSchema, Probe, Signature, Unknown};
pub use self::probe::{MethodTypes, PayloadType};
pub use self::{
    bind::ArgumentError,
    call::{Args, Call, Called, KindOf, OfAnyKind, Outcome, Output, Parameter, ParameterKind, Plain, Reply, Returned},
    cancel::Cancel,
    catalogue::{Catalogue, linked},
    descriptor::{CallPolicy, MethodDescriptor, ParameterDescriptor, Registration, Service, ServiceDescriptor, TopicDescriptor},
    progress::Progress,
};
pub use self::{
    call::{Events, refusal},
    dispatch::{BlockingCall, PendingCall, Work, poll_stream, take_last_method},
    registry::{Lane, Mounted, Route, Routes},
};
pub use crate::{
    error::{ErrorDescriptor, ErrorField, FieldOf, Internal, Location, RpcError, Unread, internal, told, told_variant},
    schema::ErrorFields,
};

mod bind;
mod call;
mod cancel;
mod catalogue;
mod descriptor;
mod dispatch;
mod handlers;
#[cfg(feature = "manifest")]
mod probe;
#[cfg(not(feature = "manifest"))]
#[path = "probe_disabled.rs"]
mod probe;
mod progress;
mod registry;
