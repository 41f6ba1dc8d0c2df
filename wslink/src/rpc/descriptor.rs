//! What the macros know of a service at compile time, as `&'static` data.
//!
//! Plain descriptions: nothing here calls a method or looks one up.

use std::{any::TypeId, fmt};

use super::{Call, Outcome, Parameter, ParameterKind, bind::ArgumentError};
use crate::topic::Delivery;

/// A place in the source of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, as the compiler names it.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A type with remote methods and topics. Implemented by [`#[service]`](macro@crate::service).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a wslink service",
    label = "no `#[service]` block",
    note = "put `#[wslink::service]` on the `impl` block with its `#[rpc]` methods"
)]
pub trait Service: Send + Sync + 'static {
    /// Its methods and topics.
    const DESCRIPTOR: &'static ServiceDescriptor;
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
    /// Its methods, in the order of the source.
    pub methods: &'static [MethodDescriptor],
    /// Its topics, in the order of the source.
    pub topics: &'static [TopicDescriptor],
}

/// One `#[rpc]` method.
pub struct MethodDescriptor {
    /// What clients call it.
    pub uri: &'static str,
    /// What the source calls it.
    pub name: &'static str,
    /// Its documentation.
    pub docs: &'static str,
    /// Where its URI is written.
    pub location: Location,
    /// Its parameters but for the receiver, in order.
    pub parameters: &'static [ParameterDescriptor],
    /// Takes the arguments, and calls it or prepares the call.
    pub call: fn(&mut Call<'_>) -> Result<Outcome, ArgumentError>,
}

/// One parameter of a method.
#[derive(Debug)]
pub struct ParameterDescriptor {
    pub(crate) name: &'static str,
    pub(crate) kind: ParameterKind,
    pub(crate) has_default: bool,
}

impl ParameterDescriptor {
    /// A parameter without a default.
    #[must_use]
    pub const fn required<T: Parameter>(name: &'static str) -> Self {
        Self { name, kind: T::KIND, has_default: false }
    }

    /// A parameter with a default.
    ///
    /// # Panics
    /// At compile time, when it is not an argument of the call.
    #[must_use]
    #[track_caller]
    pub const fn optional<T: Parameter>(name: &'static str) -> Self {
        assert!(
            matches!(T::KIND, ParameterKind::Wire),
            "the default of a parameter that is no argument; remove `#[arg(default)]`"
        );
        Self { name, kind: T::KIND, has_default: true }
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
        self.has_default
    }
}

/// One `#[topic]`.
pub struct TopicDescriptor {
    /// What clients subscribe to.
    pub uri: &'static str,
    /// Its documentation.
    pub docs: &'static str,
    /// Where its URI is written.
    pub location: Location,
    /// What happens to a client that cannot keep up.
    pub delivery: Delivery,
}
