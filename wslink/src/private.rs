//! What generated code may name: the list of `wslink-core`, and what the client adds to it. Nothing here is API.

pub use wslink_core::__private::*;

pub use crate::__wslink_client as client;
#[cfg(feature = "client")]
pub use crate::client::{
    Call as ClientCall, Session, Subscribe, named,
    typed::{
        Given, Guess, Guessed, HasSession, assert_argument, assert_context, assert_plain, assert_rest, assert_result, call, sent,
        subscribe,
    },
};

/// The type that `#[service(client)]` generates, where there is a client. In a module of its own, so that a
/// name that is taken is one mistake, and not one for each thing that the type has.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "client")]
macro_rules! __wslink_client {
    ($(#[$docs:meta])* $module:ident $name:ident $($methods:tt)*) => {
        #[doc(hidden)]
        #[allow(non_snake_case, unreachable_pub)]
        mod $module {
            $(#[$docs])*
            #[derive($crate::__private::Clone, $crate::__private::Debug)]
            pub struct $name {
                session: $crate::__private::Session,
            }

            #[automatically_derived]
            impl $crate::__private::From<$crate::__private::Session> for $name {
                fn from(session: $crate::__private::Session) -> Self {
                    Self { session }
                }
            }

            #[automatically_derived]
            impl $crate::__private::HasSession for $name {
                fn session(&self) -> &$crate::__private::Session {
                    &self.session
                }
            }
        }
        #[allow(unreachable_pub, unused_imports)]
        #[doc(inline)]
        pub use $module::$name;
        $($methods)*
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
