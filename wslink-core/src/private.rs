//! The complete list of names that generated code may use. Nothing here is API: it changes without
//! notice.

use std::{
    any::TypeId,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};
pub use std::{
    clone::Clone,
    compile_error, concat,
    convert::{From, Into},
    default::Default,
    env,
    error::Error as StdError,
    fmt::{Debug, Display, Formatter, Result as FmtResult},
    option::Option::{self, None, Some},
    path::PathBuf,
    string::String,
    unreachable, vec,
    vec::Vec,
    write,
};

use futures_util::Stream;
pub use inventory;

pub use crate::Topic;
pub use crate::Value;
#[cfg(feature = "manifest")]
pub use crate::rpc::{Argument, HasSchema, Probe, Signature, Unknown};
pub use crate::{
    __wslink_error_fields as error_fields, __wslink_method_types as types, __wslink_payload_type as payload,
    __wslink_require_schemas as require_schemas, CallError,
    lifecycle::{HookCall, HookDescriptor, HookKind, Hooked, OnConnected, OnDisconnected, OnOther, hooked, hooked_later},
    rpc::{
        Call, Called, Erasure, ErrorDescriptor, ErrorFields, FieldOf, Handlers, KindOf, Location, MethodDescriptor, MethodTypes,
        NotSend, NotShared, OfAnyKind, PayloadType, Plain, Returned, RpcError, Service, ServiceDescriptor, SharedByCalls,
        TopicDescriptor, Unread, internal, told, told_variant,
    },
    topic::Delivery,
};
use crate::{
    Payload,
    rpc::{CallPolicy, ErrorField, Outcome, ParameterDescriptor, ParameterKind, Registration},
    wire::Encoded,
};

/// What `#[rpc]` and `#[topic]` stand for where the user did not import them.
pub mod attributes {
    pub use wslink_macros::{connected, disconnected, lost, resumed, rpc, subscribed, topic, unsubscribed};
}

/// The place in the source that the tokens of the call are from.
// No macro with `line!()`: its number would be part of the code, and each line that moves would change it.
#[must_use]
#[track_caller]
pub const fn here() -> Location {
    let place = std::panic::Location::caller();
    Location { file: place.file(), line: place.line(), column: place.column() }
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

/// What a method is described by: URI, name, documentation, whether it is deprecated; where it is written; and
/// the rest in the order of the descriptor.
// A function, so that descriptors may get fields that older macros do not know.
#[must_use]
pub const fn method(
    (uri, name, docs, deprecated): (&'static str, &'static str, &'static str, bool),
    location: Location,
    types: MethodTypes,
    parameters: &'static [ParameterDescriptor],
    terms: CallPolicy,
    call: fn(&mut Call<'_>) -> Called,
) -> MethodDescriptor {
    MethodDescriptor { uri, name, docs, deprecated, location, types, parameters, terms, call }
}

/// A parameter without a default.
#[must_use]
pub const fn required(name: &'static str, kind: ParameterKind) -> ParameterDescriptor {
    ParameterDescriptor::of_kind(name, kind)
}

/// A parameter that is no argument.
#[must_use]
#[track_caller]
pub const fn context(name: &'static str, kind: ParameterKind) -> ParameterDescriptor {
    assert!(
        matches!(kind, ParameterKind::Context),
        "`#[arg(context)]` on an argument of the call; remove it, or implement `wslink::rpc::Parameter` for the type"
    );
    ParameterDescriptor::of_kind(name, kind)
}

/// A parameter with a default.
#[must_use]
#[track_caller]
pub const fn optional(name: &'static str, kind: ParameterKind, default: &'static str) -> ParameterDescriptor {
    ParameterDescriptor::optional_of_kind(name, kind, default)
}

/// The outcome of a shim whose method has returned.
pub const fn done(reply: Encoded) -> Called {
    Ok(Outcome::done(reply))
}

/// The outcome of a shim that makes the stream of a subscription.
pub fn streamed<S: TopicStream>(events: S) -> Called
where
    S::Event: Payload + Send + 'static,
{
    Ok(Outcome::events(events))
}

/// The events of one subscription.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the stream of a topic",
    label = "not a stream that can be sent between threads and owns its data",
    note = "write `-> impl Stream<Item = T> + Send + 'static`"
)]
pub trait TopicStream: Stream<Item = Self::Event> + Send + 'static {
    /// What it yields.
    type Event;
}

#[diagnostic::do_not_recommend]
impl<S: Stream + Send + 'static> TopicStream for S {
    type Event = S::Item;
}

/// What is asked of a method's calls; 0 ms are as long as it likes.
#[must_use]
pub const fn terms(milliseconds: u64, require: Option<&'static str>) -> CallPolicy {
    let timeout = if milliseconds == 0 { None } else { Some(Duration::from_millis(milliseconds)) };
    CallPolicy { timeout, require }
}

/// The service that has a hook.
///
/// # Panics
/// When the hook was mounted for another type; it is mounted from the type itself.
#[must_use]
pub fn service_of<S: Service>(call: &HookCall<'_>) -> Arc<S> {
    let service = S::ERASURE.find(Arc::clone(call.service()));
    service.unwrap_or_else(|| unreachable!("the hook is that of another service"))
}

/// What a hook is described by: when it runs, its topic, where it is written, and its shim.
#[must_use]
pub const fn hook(
    kind: HookKind,
    topic: Option<&'static str>,
    location: Location,
    run: fn(&HookCall<'_>) -> Hooked,
) -> HookDescriptor {
    HookDescriptor { kind, topic, location, run }
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
