//! Descriptions of services, methods and topics that the macros generate, as `&'static` data.
//!
//! Plain descriptions: nothing here calls a method or looks one up.

use std::{any::TypeId, time::Duration};

use super::{Call, Erasure, MethodTypes, Outcome, Parameter, ParameterKind, PayloadType, bind::ArgumentError};
use crate::{error::Location, lifecycle::HookDescriptor, topic::Delivery};

/// A type with remote methods and topics. Implemented by [`#[service]`](macro@crate::service).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a wslink service",
    label = "no `#[service]` block",
    note = "put `#[wslink::service]` on the `impl` block with its `#[rpc]` methods; where it is there, mount the value itself, not a reference, a `Box` or an `Arc` of it"
)]
// That it is `Send + Sync` is asked beside the implementation, not by it: asked here, a type that is neither
// would be told so twice, and once more for each of its handlers.
pub trait Service: Sized + 'static {
    /// Its methods and topics.
    const DESCRIPTOR: &'static ServiceDescriptor;

    /// How the dispatch table, where all services are of one type, keeps it.
    #[doc(hidden)]
    const ERASURE: Erasure<Self>;
}

/// A service that is linked into the program, whether or not it is mounted.
pub struct Registration(pub &'static ServiceDescriptor);

inventory::collect!(Registration);

/// One `#[service]` block.
pub struct ServiceDescriptor {
    /// The type's name, as written.
    pub name: &'static str,
    /// The block's documentation.
    pub docs: &'static str,
    /// The type.
    pub type_id: fn() -> TypeId,
    /// Where the block is.
    pub location: Location,
    /// The package that it belongs to.
    pub package: &'static str,
    /// The version of the package.
    pub version: &'static str,
    /// Its methods, in the order of the source.
    pub methods: &'static [MethodDescriptor],
    /// Its topics, in the order of the source.
    pub topics: &'static [TopicDescriptor],
    /// What it wants to be told of clients, in the order of the source.
    pub hooks: &'static [HookDescriptor],
    /// Whether the calls of one connection wait for each other.
    pub ordered: bool,
}

impl ServiceDescriptor {
    /// Whether it is the inspector's, which is mounted by itself and no part of what a program offers.
    pub fn is_inspector(&self) -> bool {
        !self.methods.is_empty() && self.methods.iter().all(|method| method.uri.starts_with("wslink.inspector."))
    }
}

/// One `#[rpc]` method.
pub struct MethodDescriptor {
    /// What clients call it.
    pub uri: &'static str,
    /// What the source calls it.
    pub name: &'static str,
    /// Its documentation.
    pub docs: &'static str,
    /// Whether it is `#[deprecated]`.
    pub deprecated: bool,
    /// Where its URI is written.
    pub location: Location,
    /// What it takes and returns, for the manifest.
    pub types: MethodTypes,
    /// Its parameters but for the receiver, in order.
    pub parameters: &'static [ParameterDescriptor],
    /// What is asked of its calls.
    pub terms: CallPolicy,
    /// Takes the arguments, and calls it or prepares the call.
    pub call: fn(&mut Call<'_>) -> Result<Outcome, ArgumentError>,
}

/// What is asked of a method's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallPolicy {
    /// How long one may take, if that is limited.
    pub timeout: Option<Duration>,
    /// The authority that its caller must have, if any.
    pub require: Option<&'static str>,
}

/// One parameter of a method.
#[derive(Debug)]
pub struct ParameterDescriptor {
    /// Its name in the source.
    pub name: &'static str,
    /// The origin of its value.
    pub kind: ParameterKind,
    /// As the source says it; a JSON value where it is one.
    pub default: Option<&'static str>,
}

impl ParameterDescriptor {
    /// A parameter without a default.
    #[must_use]
    pub const fn required<T: Parameter>(name: &'static str) -> Self {
        Self::of_kind(name, T::KIND)
    }

    /// A parameter of which only the kind is known, without a default.
    pub(crate) const fn of_kind(name: &'static str, kind: ParameterKind) -> Self {
        Self { name, kind, default: None }
    }

    /// A parameter of which only the kind is known, with a default.
    #[track_caller]
    pub(crate) const fn optional_of_kind(name: &'static str, kind: ParameterKind, default: &'static str) -> Self {
        assert!(matches!(kind, ParameterKind::Wire), "the default of a parameter that is no argument; remove `#[arg(default)]`");
        Self { name, kind, default: Some(default) }
    }

    /// A parameter with a default, and how the source says it.
    ///
    /// # Panics
    /// At compile time, when it is not an argument of the call.
    #[must_use]
    #[track_caller]
    pub const fn optional<T: Parameter>(name: &'static str, default: &'static str) -> Self {
        Self::optional_of_kind(name, T::KIND, default)
    }

    /// What it is called on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Where its value comes from.
    #[must_use]
    pub const fn kind(&self) -> ParameterKind {
        self.kind
    }

    /// Whether the call may leave it out because the source gives it a default.
    #[must_use]
    pub const fn has_default(&self) -> bool {
        self.default.is_some()
    }
}

/// One `#[topic]`.
pub struct TopicDescriptor {
    /// What clients subscribe to.
    pub uri: &'static str,
    /// Its documentation.
    pub docs: &'static str,
    /// Whether it is `#[deprecated]`.
    pub deprecated: bool,
    /// Where its URI is written.
    pub location: Location,
    /// What is published, for the manifest.
    pub payload: PayloadType,
    /// What happens to a client that cannot keep up.
    pub delivery: Delivery,
    /// Whether its last payload is kept for clients that subscribe later.
    pub retain: bool,
    /// The authority that its subscribers must have, if any.
    pub require: Option<&'static str>,
    /// What makes the stream of one subscription, when each has its own.
    pub stream: Option<MethodDescriptor>,
}
