//! Stands in for the schemas of descriptors where the feature `manifest` is off.

/// The types of a method.
#[derive(Debug)]
pub struct MethodTypes;
/// The payload of a topic.
#[derive(Debug)]
pub struct PayloadType;

#[doc(hidden)]
#[macro_export]
macro_rules! __wslink_method_types {
    ($types:ty) => {
        $crate::__private::MethodTypes
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __wslink_payload_type {
    ($ty:ty) => {
        $crate::__private::PayloadType
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __wslink_error_fields {
    ($($name:literal: $ty:ty),*) => {
        $crate::__private::ErrorFields
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __wslink_require_schemas {
    ($($requirements:tt)*) => {
        $crate::__private::compile_error!(
            "`#[service(schema)]` needs the manifest of wslink; write `features = [\"manifest\"]` in `Cargo.toml`, or remove `schema`"
        );
    };
}
