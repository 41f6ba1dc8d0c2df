//! One hook of a service: what the macros know of it, what it may take, and what it may return.

use std::{
    any::Any,
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
};

use crate::{
    CallError, Client, Disconnect, Handshake, Principal, Publisher,
    error::{Location, RpcError},
};

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookKind {
    /// Before the first call and the first event of a client.
    Connected,
    /// Once, after the last handler of a client.
    Disconnected,
    /// The connection of a client is lost, which may resume.
    Lost,
    /// A client has resumed.
    Resumed,
    /// A client begins to receive a topic.
    Subscribed,
    /// A client receives a topic no more.
    Unsubscribed,
}

/// One hook in a `#[service]` block.
pub struct HookDescriptor {
    /// The occasion on which it runs.
    pub kind: HookKind,
    /// Its topic, where it has one.
    pub topic: Option<&'static str>,
    /// The place of its attribute in the source.
    pub location: Location,
    /// Runs it, or makes the future that does.
    pub run: fn(&HookCall<'_>) -> Hooked,
}

/// A hook that runs, with its answer: an error refuses a client that connects.
pub type Hooked = Pin<Box<dyn Future<Output = Result<(), CallError>> + Send>>;

/// What a hook is called with.
pub struct HookCall<'a> {
    pub(super) service: &'a Arc<dyn Any + Send + Sync>,
    pub(super) client: &'a Client,
    pub(super) publisher: &'a Publisher,
    pub(super) reason: &'a Disconnect,
}

impl HookCall<'_> {
    /// The service that has the hook.
    #[must_use]
    pub const fn service(&self) -> &Arc<dyn Any + Send + Sync> {
        self.service
    }

    /// The value of a parameter.
    #[must_use]
    pub fn take<K, T: HookParameter<K>>(&self) -> T {
        T::take(self)
    }
}

/// A `#[connected]` hook, for the types of its parameters and result.
pub struct OnConnected;

/// A `#[disconnected]` hook, likewise.
pub struct OnDisconnected;

/// Any other hook, likewise.
pub struct OnOther;

/// A value that a hook of kind `K` can take.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of this hook",
    label = "not known when the hook runs",
    note = "hooks take `Client`, `Principal`, `Handshake` and `Publisher`; `#[disconnected]` takes `Disconnect` as well"
)]
pub trait HookParameter<K> {
    /// Its value.
    fn take(call: &HookCall<'_>) -> Self;
}

impl<K> HookParameter<K> for Client {
    fn take(call: &HookCall<'_>) -> Self {
        call.client.clone()
    }
}

impl<K> HookParameter<K> for Principal {
    fn take(call: &HookCall<'_>) -> Self {
        call.client.principal().clone()
    }
}

impl<K> HookParameter<K> for Handshake {
    fn take(call: &HookCall<'_>) -> Self {
        call.client.handshake().clone()
    }
}

impl<K> HookParameter<K> for Publisher {
    fn take(call: &HookCall<'_>) -> Self {
        call.publisher.clone()
    }
}

impl HookParameter<OnDisconnected> for Disconnect {
    fn take(call: &HookCall<'_>) -> Self {
        call.reason.clone()
    }
}

/// What a hook of kind `K` can return.
#[diagnostic::on_unimplemented(
    message = "this hook cannot return `{Self}`",
    label = "not what a hook returns",
    note = "hooks return nothing; `#[connected]` may return `Result<(), E>`, whose error refuses the client"
)]
pub trait HookResult<K> {
    /// Whether the client is taken.
    ///
    /// # Errors
    /// What the client is told.
    fn into_result(self) -> Result<(), CallError>;
}

impl<K> HookResult<K> for () {
    fn into_result(self) -> Result<(), CallError> {
        Ok(())
    }
}

impl<E: RpcError> HookResult<OnConnected> for Result<(), E> {
    fn into_result(self) -> Result<(), CallError> {
        self.map_err(RpcError::into_call_error)
    }
}

/// The outcome of a shim whose hook has returned.
pub fn hooked<K, R: HookResult<K>>(result: R) -> Hooked {
    Box::pin(ready(result.into_result()))
}

/// The outcome of a shim whose hook is asynchronous.
pub fn hooked_later<K, R: HookResult<K>>(hook: impl Future<Output = R> + Send + 'static) -> Hooked {
    Box::pin(async move { hook.await.into_result() })
}
