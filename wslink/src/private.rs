//! What generated code may name: the list of `wslink-core`, and what the client adds to it. Nothing here is API.

pub use wslink_core::__private::*;

pub use crate::__wslink_client as client;
#[cfg(feature = "client")]
pub use crate::client::{
    Call as ClientCall, Session, Subscribe, named,
    typed::{
        Given, Guess, Guessed, assert_argument, assert_context, assert_plain, assert_rest, assert_result, call, sent, subscribe,
    },
};

/// The client that `#[service(client)]` generates.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "client")]
macro_rules! __wslink_client {
    ($($client:tt)*) => {
        $($client)*
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "client"))]
macro_rules! __wslink_client {
    ($($client:tt)*) => {
        $crate::__private::compile_error!(
            "`#[service(client)]` needs the client of wslink; write `features = [\"client\"]` in `Cargo.toml`, or remove `client`"
        );
    };
}
