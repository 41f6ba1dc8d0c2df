//! The arguments of a call, by position and by name. Knows no wire format.

use serde::Serialize;

use crate::{Args, Value};
use wslink_core::wire::Parts;

/// Arguments of a call: `()`, a tuple, a list, [`named`], or [`Args`] for what is known at run time.
///
/// ```no_run
/// # async fn example(session: wslink::client::Session) -> Result<(), wslink::client::Error> {
/// use wslink::client::named;
///
/// #[derive(serde::Serialize)]
/// struct Options { smooth: bool }
///
/// let sum: f64 = session.call("calculator.add", (1.0, 2.0)).await?;
/// let sum: f64 = session.call("calculator.sum", vec![1.0, 2.0, 3.0]).await?;
/// let mesh: String = session.call("mesh.load", named(Options { smooth: true }).after(("bunny",))).await?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the arguments of a call",
    label = "neither a tuple nor a list",
    note = "a single argument is written `(value,)`, arguments with names `wslink::client::named(…)`"
)]
pub trait Arguments: Sealed {}

pub(super) mod sealed {
    use super::Parts;

    pub trait Sealed {
        /// Calls `with` on the arguments.
        fn with<R>(self, with: impl FnOnce(Parts<'_>) -> R) -> R;
    }
}

use sealed::Sealed;

impl Arguments for () {}
impl Sealed for () {
    fn with<R>(self, with: impl FnOnce(Parts<'_>) -> R) -> R {
        with(Parts::default())
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: Serialize),+> Arguments for ($($name,)+) {}
        impl<$($name: Serialize),+> Sealed for ($($name,)+) {
            fn with<R_>(self, with: impl FnOnce(Parts<'_>) -> R_) -> R_ {
                with(Parts { positional: Some(&self), named: None })
            }
        }
    )*};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}

impl<T: Serialize> Arguments for &[T] {}
impl<T: Serialize> Sealed for &[T] {
    fn with<R>(self, with: impl FnOnce(Parts<'_>) -> R) -> R {
        with(Parts { positional: Some(&self), named: None })
    }
}

impl<T: Serialize> Arguments for Vec<T> {}
impl<T: Serialize> Sealed for Vec<T> {
    fn with<R>(self, with: impl FnOnce(Parts<'_>) -> R) -> R {
        self.as_slice().with(with)
    }
}

impl<T: Serialize, const N: usize> Arguments for [T; N] {}
impl<T: Serialize, const N: usize> Sealed for [T; N] {
    fn with<R>(self, with: impl FnOnce(Parts<'_>) -> R) -> R {
        self.as_slice().with(with)
    }
}

impl Arguments for Args {}
impl Sealed for Args {
    fn with<R>(self, with: impl FnOnce(Parts<'_>) -> R) -> R {
        named(Value::Map(self.named)).after(self.positional).with(with)
    }
}

/// Arguments with names: a struct, or a map with text keys.
///
/// ```
/// use wslink::{Value, client::named};
///
/// let by_name = named(Value::map([("angle", 15.0)]));
/// let after_others = named(Value::map([("angle", 15.0)])).after(("view", 3));
/// ```
#[must_use]
pub const fn named<N: Serialize>(names: N) -> Named<(), N> {
    Named { positional: (), names }
}

/// Arguments with names, perhaps after others; made by [`named`].
#[derive(Clone, Copy, Debug)]
pub struct Named<P, N> {
    positional: P,
    names: N,
}

impl<N: Serialize> Named<(), N> {
    /// The same after `positional` arguments.
    #[must_use]
    pub fn after<P: Arguments>(self, positional: P) -> Named<P, N> {
        Named { positional, names: self.names }
    }
}

impl<P: Arguments, N: Serialize> Arguments for Named<P, N> {}
impl<P: Arguments, N: Serialize> Sealed for Named<P, N> {
    fn with<R>(self, with: impl FnOnce(Parts<'_>) -> R) -> R {
        self.positional.with(|parts| with(Parts { named: Some(&self.names), ..parts }))
    }
}
