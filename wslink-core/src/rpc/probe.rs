//! Detects at compile time what a type can say of itself: its schema, whether it may be missing, its default.
//!
//! A schema must not become a requirement because some other crate switched the manifest on. So the
//! question is put where the type is concrete, in generated code: an inherent method answers for types
//! that can, and the trait [`Unknown`] for the rest.

use std::{
    any::type_name,
    convert::Infallible,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
};

use schemars::{JsonSchema, Schema, json_schema};
use serde::{Serialize, de::DeserializeOwned};

use super::bind::Missing;
use crate::{
    Topic,
    error::{ErrorDescriptor, RpcError},
    schema::Schemas,
};

/// The types of a method: only asked when a manifest is made.
pub struct MethodTypes(pub fn(&mut Schemas) -> Signature);
/// The payload of a topic.
pub struct PayloadType(pub fn(&mut Schemas) -> Schema);

/// What a method takes and returns.
pub struct Signature {
    /// By parameter, context parameters included.
    pub parameters: Vec<Argument>,
    /// Of the value, not of the `Result`.
    pub result: Schema,
    /// What clients can be told when it fails.
    pub errors: &'static [ErrorDescriptor],
}

/// One parameter of a method.
pub struct Argument {
    /// Of its value.
    pub schema: Schema,
    /// Whether its type has a value for an argument that is missing.
    pub may_be_missing: bool,
    /// What `#[arg(default)]` stands for.
    pub default: Option<serde_json::Value>,
}

/// What is known of `T`.
pub struct Probe<T>(PhantomData<T>);

impl<T> Probe<T> {
    /// Of the type.
    pub const OF: Self = Self(PhantomData);
}

impl<T: JsonSchema> Probe<T> {
    /// As it arrives.
    pub fn argument_schema(&self, schemas: &mut Schemas) -> Schema {
        schema::<T>(schemas, Schemas::argument::<T>)
    }

    /// As it is sent.
    pub fn result_schema(&self, schemas: &mut Schemas) -> Schema {
        schema::<T>(schemas, Schemas::result::<T>)
    }
}

impl<T: DeserializeOwned> Probe<T> {
    /// Whether the type has a value for an argument that is missing.
    // What a type's own code does with nothing is not this program's end.
    pub fn may_be_missing(&self) -> bool {
        catch_unwind(|| T::deserialize(Missing).is_ok()).unwrap_or(false)
    }

    /// Arguments need a schema.
    pub const fn require_argument(&self)
    where
        T: HasSchema,
    {
    }
}

impl<T: Default + Serialize> Probe<T> {
    /// Its default.
    pub fn default_value(&self) -> Option<serde_json::Value> {
        catch_unwind(|| serde_json::to_value(T::default()).ok()).ok().flatten()
    }
}

impl<T: Serialize> Probe<T> {
    /// Results and payloads need a schema.
    pub const fn require_result(&self)
    where
        T: HasSchema,
    {
    }
}

impl<T, E> Probe<Result<T, E>> {
    /// The value.
    pub const fn ok(&self) -> Probe<T> {
        Probe::OF
    }

    /// The error.
    pub const fn err(&self) -> Probe<E> {
        Probe::OF
    }
}

impl<T> Probe<Topic<T>> {
    /// What is published.
    pub const fn payload(&self) -> Probe<T> {
        Probe::OF
    }
}

impl<E: RpcError> Probe<E> {
    /// What clients can be told.
    pub const fn errors(&self) -> &'static [ErrorDescriptor] {
        E::VARIANTS
    }
}

/// A schema, or that of a type without one where the type's own code panics.
fn schema<T>(schemas: &mut Schemas, of: impl FnOnce(&mut Schemas) -> Schema) -> Schema {
    catch_unwind(AssertUnwindSafe(|| of(schemas))).unwrap_or_else(|_| without::<T>())
}

/// Any value, under the type's name.
fn without<T>() -> Schema {
    json_schema!({ "title": short_name(type_name::<T>()) })
}

/// The answers for types that have none of their own.
pub trait Unknown<T> {
    /// Any value, under the type's name.
    fn argument_schema(&self, _: &mut Schemas) -> Schema {
        without::<T>()
    }

    /// Any value, under the type's name.
    fn result_schema(&self, schemas: &mut Schemas) -> Schema {
        self.argument_schema(schemas)
    }

    /// A parameter that is no argument is never missing.
    fn may_be_missing(&self) -> bool {
        false
    }

    /// Nothing is known.
    fn default_value(&self) -> Option<serde_json::Value> {
        None
    }

    /// A parameter that is no argument needs no schema.
    fn require_argument(&self) {}

    /// What cannot be sent at all is told so elsewhere.
    fn require_result(&self) {}

    /// What is no `Result` is its own value.
    fn ok(&self) -> Probe<T> {
        Probe::OF
    }

    /// What is no `Result` never fails.
    fn err(&self) -> Probe<Infallible> {
        Probe::OF
    }

    /// What is no topic is told so elsewhere.
    fn payload(&self) -> Probe<()> {
        Probe::OF
    }

    /// What is no error is told so elsewhere.
    fn errors(&self) -> &'static [ErrorDescriptor] {
        &[]
    }
}

impl<T> Unknown<T> for Probe<T> {}

/// A type with a JSON Schema, as `#[service(schema)]` asks for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no JSON Schema, which `#[service(schema)]` asks for",
    label = "no schema",
    note = "derive `schemars::JsonSchema` for it, or remove `schema`"
)]
pub trait HasSchema {}

#[diagnostic::do_not_recommend]
impl<T: JsonSchema> HasSchema for T {}

/// `Vec<Frame>` for `alloc::vec::Vec<app::scene::Frame>`.
fn short_name(full: &str) -> String {
    let mut short = String::new();
    let mut word = String::new();
    for c in full.chars() {
        match c {
            ':' => word.clear(),
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            c => {
                short.push_str(&std::mem::take(&mut word));
                short.push(c);
            }
        }
    }
    short + &word
}

#[doc(hidden)]
#[macro_export]
macro_rules! __wslink_method_types {
    (fn($($parameter:ty),* $(,)?) -> $output:ty) => {
        $crate::__private::MethodTypes(|schemas| {
            #[allow(unused_imports)]
            use $crate::__private::Unknown as _;
            let output = $crate::__private::Probe::<$output>::OF;
            $crate::__private::Signature {
                parameters: $crate::__private::vec![$({
                    let probe = $crate::__private::Probe::<$parameter>::OF;
                    $crate::__private::Argument {
                        schema: probe.argument_schema(schemas),
                        may_be_missing: probe.may_be_missing(),
                        default: probe.default_value(),
                    }
                }),*],
                result: output.ok().result_schema(schemas),
                errors: output.err().errors(),
            }
        })
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __wslink_payload_type {
    ($ty:ty) => {
        $crate::__private::PayloadType(|schemas| {
            #[allow(unused_imports)]
            use $crate::__private::Unknown as _;
            $crate::__private::Probe::<$ty>::OF.payload().result_schema(schemas)
        })
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __wslink_error_fields {
    ($($name:literal: $ty:ty),*) => {
        $crate::__private::ErrorFields(|_schemas| {
            #[allow(unused_imports)]
            use $crate::__private::Unknown as _;
            $crate::__private::vec![$(($name, $crate::__private::Probe::<$ty>::OF.result_schema(_schemas))),*]
        })
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __wslink_require_schemas {
    ($($requirements:tt)*) => {
        const _: fn() = || {
            #[allow(unused_imports)]
            use $crate::__private::Unknown as _;
            $($requirements)*
        };
    };
}

#[cfg(test)]
mod tests {
    use super::{Probe, Unknown as _, short_name};
    use crate::schema::Schemas;

    struct Opaque;

    #[test]
    fn a_type_without_a_schema_is_any_value_under_its_name() {
        let mut schemas = Schemas::default();
        assert_eq!(Probe::<Opaque>::OF.argument_schema(&mut schemas).to_value(), serde_json::json!({ "title": "Opaque" }));
        assert_eq!(Probe::<bool>::OF.argument_schema(&mut schemas).to_value(), serde_json::json!({ "type": "boolean" }));
        assert_eq!(short_name("alloc::vec::Vec<(a::b::Frame, &core::option::Option<u8>)>"), "Vec<(Frame, &Option<u8>)>");
    }

    /// Each of its implementations panics.
    struct Panics;

    impl<'de> serde::Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("nothing is deserialised")
        }
    }

    impl serde::Serialize for Panics {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("nothing is serialised")
        }
    }

    impl schemars::JsonSchema for Panics {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Panics".into()
        }

        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            panic!("nothing is described")
        }
    }

    impl Default for Panics {
        fn default() -> Self {
            Self
        }
    }

    #[test]
    fn a_type_that_panics_tells_nothing() {
        assert!(!Probe::<Panics>::OF.may_be_missing());
        assert_eq!(Probe::<Panics>::OF.default_value(), None);
        let schema = Probe::<Panics>::OF.argument_schema(&mut Schemas::default());
        assert_eq!(schema.to_value(), serde_json::json!({ "title": "Panics" }));
    }

    #[test]
    fn what_may_be_missing_is_told_by_the_type() {
        assert!(Probe::<Option<u8>>::OF.may_be_missing());
        assert!(!Probe::<u8>::OF.may_be_missing());
        assert!(!Probe::<Opaque>::OF.may_be_missing());
        assert_eq!(Probe::<u8>::OF.default_value(), Some(0.into()));
        assert_eq!(Probe::<Opaque>::OF.default_value(), None);
    }
}
