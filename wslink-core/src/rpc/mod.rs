//! Remote procedure calls: what the macros describe, the table built from it, and the way of a call
//! from its request to its reply.

pub use self::bind::Bound;
#[cfg(feature = "manifest")]
pub(crate) use self::bind::Missing;
pub(crate) use self::dispatch::{CallContext, Control, Dispatched, control, dispatch, subscribe};
#[cfg(feature = "manifest")]
pub(crate) use self::error::{NESTED, is_nested};
#[doc(hidden)]
pub use self::handlers::{Erasure, Handlers, NotSend, NotShared, SharedByCalls};
pub use self::{
    bind::ArgumentError,
    call::{Args, Call, Called, KindOf, OfAnyKind, Outcome, Output, Parameter, ParameterKind, Plain, Reply, Returned},
    cancel::Cancel,
    catalogue::{Catalogue, linked},
    descriptor::{
        Location, MethodDescriptor, ParameterDescriptor, Registration, Service, ServiceDescriptor, Terms, TopicDescriptor,
    },
    error::{ErrorDescriptor, ErrorField, FieldOf, Internal, RpcError, Unread, internal, told, told_variant},
    progress::Progress,
};
pub use self::{
    call::{Events, refusal},
    dispatch::{BlockingCall, PendingCall, Work, drop_caught, poll_stream},
    registry::{Lane, Mounted, Route, Routes},
};
pub use crate::manifest::{ErrorFields, MethodTypes, PayloadType};

mod bind;
mod call;
mod cancel;
mod catalogue;
mod descriptor;
mod dispatch;
mod error;
mod handlers;
mod progress;
mod registry;
