//! The building blocks of the clients that `#[service(client)]` generates.

use std::{fmt, marker::PhantomData};

use serde::{Serialize, Serializer, de::DeserializeOwned};

use super::{Arguments, Call, Session, Subscribe};
use crate::Topic;
use wslink_core::rpc::{Parameter, ParameterKind};

/// A value that a generated client can send.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent by the client that `#[service(client)]` makes",
    label = "cannot be sent to a server",
    note = "if the type is yours, derive `serde::Serialize` for it; if it comes from the server, write `#[arg(context)]` before it; else remove `client`"
)]
pub trait Sent {
    /// As serde sees it.
    fn as_serialize(&self) -> &dyn erased_serde::Serialize;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Sent for T {
    fn as_serialize(&self) -> &dyn erased_serde::Serialize {
        self
    }
}

/// A value that a generated client can receive.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be received by the client that `#[service(client)]` makes",
    label = "cannot be read from an answer",
    note = "if the type is yours, derive `serde::Deserialize` for it; a `Result` must be written as `Result<T, E>`; else remove `client`"
)]
pub trait Received: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Received for T {}

/// A generated client.
pub trait HasSession {
    /// What it calls by.
    fn session(&self) -> &Session;
}

/// One argument.
pub fn sent<T: Sent>(value: &T) -> &dyn erased_serde::Serialize {
    value.as_serialize()
}

/// A call.
pub fn call<R: Received>(session: &Session, uri: &str, arguments: impl Arguments) -> Call<R> {
    session.call(uri, arguments)
}

/// A subscription.
pub fn subscribe<T: Received>(session: &Session, topic: Topic<T>) -> Subscribe<T> {
    session.subscribe(topic)
}

/// Arguments by name, without those that are not given.
pub struct Given<'a>(pub &'a [(&'static str, Option<&'a dyn erased_serde::Serialize>)]);

impl Serialize for Given<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().filter_map(|(name, value)| Some((name, (*value)?))))
    }
}

impl fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// What a type says of itself where a macro can only guess by its name.
pub struct Guess<T>(PhantomData<T>);

impl<T: Serialize + Parameter> Guess<T> {
    /// What it is as a parameter.
    pub const KIND: ParameterKind = T::KIND;
}

impl<T: DeserializeOwned> Guess<T> {
    /// Whether a client could take it as it is.
    pub const RECEIVED: bool = true;
}

/// For types of which the client says elsewhere what is wrong with them.
pub trait Guessed {
    /// What it would have to be.
    const KIND: ParameterKind = ParameterKind::Wire;
    /// Whether a client could take it as it is.
    const RECEIVED: bool = false;
}

impl<T> Guessed for Guess<T> {}

/// A parameter that is taken for an argument.
///
/// # Panics
/// At compile time, when it is none.
#[track_caller]
pub const fn assert_argument(kind: ParameterKind) {
    match kind {
        ParameterKind::Wire => {}
        ParameterKind::Context => {
            panic!("the client cannot tell that this parameter comes from the server; write `#[arg(context)]` before it")
        }
        _ => panic!("the client cannot tell that this parameter takes what is left; write its type as `Args`"),
    }
}

/// A parameter that is taken for one that comes from the server.
///
/// # Panics
/// At compile time, when it is an argument.
#[track_caller]
pub const fn assert_context<T: Parameter>() {
    assert!(
        matches!(T::KIND, ParameterKind::Context),
        "the client takes this argument for one that comes from the server; give its type another name"
    );
}

/// A parameter that is taken for `Args`.
///
/// # Panics
/// At compile time, when it is not.
#[track_caller]
pub const fn assert_rest<T: Parameter>() {
    assert!(
        matches!(T::KIND, ParameterKind::Rest),
        "the client takes this argument for `wslink::Args`; give its type another name"
    );
}

/// What is taken for a `Result`.
///
/// # Panics
/// At compile time, when it is none.
#[track_caller]
pub const fn assert_result(is_result: bool) {
    assert!(is_result, "the client takes this for a `Result`; give the type another name");
}

/// What is taken for no `Result`.
///
/// # Panics
/// At compile time, when it is one.
#[track_caller]
pub const fn assert_plain(is_result: bool) {
    assert!(!is_result, "the client cannot tell that this is a `Result`; write it as `Result<T, E>`");
}
