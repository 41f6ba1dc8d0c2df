//! One call on its way through a generated shim: arguments are taken from it, the reply is sent with it.
//!
//! Everything here is generic over single types only, so that a shim stays a handful of lines.

use std::{any::Any, future::Future, marker::PhantomData, pin::Pin, sync::Arc};

use futures_util::stream::{Stream, StreamExt};
use serde::Serialize;

use super::{
    Cancel, MethodDescriptor, RpcError, Service,
    bind::{ArgumentError, Bound, Missing},
    progress::{Listener, OpenProgress},
};
use crate::{
    CallError, Client, ErrorCode, Handshake, Payload, Principal, Publisher, Value,
    topic::Outbox,
    wire::{Arguments, Content, Encoded, MessageId, Outgoing, Protocol, Subject},
};

/// A value that a method can take.
///
/// Implemented for everything that serde can deserialise: such a parameter is an argument of the
/// call. Types that are not deserialised implement it by hand to become *context* parameters, which
/// are not on the wire:
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::rpc::{ArgumentError, Call, Parameter, ParameterKind};
///
/// /// Who calls, for the log.
/// struct Caller(String);
///
/// impl Parameter for Caller {
///     const KIND: ParameterKind = ParameterKind::Context;
///
///     fn take(call: &mut Call<'_>, _index: usize) -> Result<Self, ArgumentError> {
///         Ok(Self(call.client().id().to_string()))
///     }
/// }
/// ```
///
/// It is taken at once, without waiting: the calls of a connection are bound in the order of their arrival, and one that
/// waited here would hold back those behind it, its own cancellation included. What has to be looked up is looked up by
/// the [`Authenticator`](crate::Authenticator), once for a connection, or at the beginning of an `async` method from a
/// parameter that carries what is needed; there deadlines and cancellation apply.
///
/// Such a parameter refuses a call with -32602, or with any [`CallError`], before the handler runs:
///
/// ```
/// # extern crate wslink_core as wslink;
/// # use wslink::rpc::{ArgumentError, Call, Parameter, ParameterKind};
/// /// A client that may change things.
/// struct Editor;
///
/// impl Parameter for Editor {
///     const KIND: ParameterKind = ParameterKind::Context;
///
///     fn take(call: &mut Call<'_>, _index: usize) -> Result<Self, ArgumentError> {
///         call.client().principal().require("editor")?;
///         Ok(Self)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of an RPC method",
    label = "neither an argument nor a context parameter",
    note = "if the type is yours, derive `serde::Deserialize` for it, or implement `wslink::rpc::Parameter` to take it from the call's context",
    note = "if it is not, take a type that is, and make this one of it in the method"
)]
pub trait Parameter: Sized {
    /// Where its value comes from.
    const KIND: ParameterKind;

    /// Its value in `call`, where it is the parameter at `index`.
    ///
    /// # Errors
    /// The argument is missing, or its value does not fit; or the call is refused for another reason.
    fn take(call: &mut Call<'_>, index: usize) -> Result<Self, ArgumentError>;
}

/// Where the value of a parameter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterKind {
    /// An argument of the call.
    Wire,
    /// The server; nothing on the wire.
    Context,
    /// All arguments that no other parameter takes.
    Rest,
}

#[diagnostic::do_not_recommend]
impl<T: serde::de::DeserializeOwned> Parameter for T {
    const KIND: ParameterKind = ParameterKind::Wire;

    fn take(call: &mut Call<'_>, index: usize) -> Result<Self, ArgumentError> {
        let name = || call.method.parameters.get(index).map(|parameter| parameter.name);
        match call.bound.slot(index) {
            Some(span) => call.arguments.value(span).map_err(|error| ArgumentError::mismatch(name(), &error)),
            None => T::deserialize(Missing).map_err(|error| ArgumentError::mismatch(name(), &error)),
        }
    }
}

impl Parameter for Client {
    const KIND: ParameterKind = ParameterKind::Context;

    fn take(call: &mut Call<'_>, _: usize) -> Result<Self, ArgumentError> {
        Ok(call.client.clone())
    }
}

impl Parameter for Principal {
    const KIND: ParameterKind = ParameterKind::Context;

    fn take(call: &mut Call<'_>, _: usize) -> Result<Self, ArgumentError> {
        Ok(call.client.principal().clone())
    }
}

impl Parameter for Handshake {
    const KIND: ParameterKind = ParameterKind::Context;

    fn take(call: &mut Call<'_>, _: usize) -> Result<Self, ArgumentError> {
        Ok(call.client.handshake().clone())
    }
}

impl Parameter for Publisher {
    const KIND: ParameterKind = ParameterKind::Context;

    fn take(call: &mut Call<'_>, _: usize) -> Result<Self, ArgumentError> {
        Ok(call.publisher.clone())
    }
}

/// Every argument that the method's other parameters leave over, untyped: Python's `*args, **kwargs`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    /// By position.
    pub positional: Vec<Value>,
    /// By name, in the order of the call.
    pub named: Vec<(String, Value)>,
}

impl Parameter for Args {
    const KIND: ParameterKind = ParameterKind::Rest;

    fn take(call: &mut Call<'_>, _: usize) -> Result<Self, ArgumentError> {
        let Call { arguments, bound, .. } = call;
        let rest = bound.rest..arguments.positional.len();
        let value =
            |arguments: &mut Arguments, span| arguments.value(span).map_err(|error| ArgumentError::mismatch(None, &error));
        let mut positional = Vec::with_capacity(rest.len());
        for at in rest {
            positional.push(value(arguments, arguments.positional[at])?);
        }
        Ok(Self {
            positional,
            named: std::mem::take(&mut bound.named)
                .into_iter()
                .map(|(name, span)| Ok((name, value(arguments, span)?)))
                .collect::<Result<_, ArgumentError>>()?,
        })
    }
}

/// A call whose arguments are bound and not yet taken.
pub struct Call<'a> {
    pub(super) method: &'static MethodDescriptor,
    pub(super) service: &'a Arc<dyn Any + Send + Sync>,
    pub(super) client: &'a Client,
    pub(super) publisher: &'a Publisher,
    pub(super) arguments: &'a mut Arguments,
    pub(super) bound: Bound,
    pub(super) reply: Reply,
    pub(super) cancel: Option<Cancel>,
    /// Where progress may be reported to, when the client wants it.
    pub(super) outbox: Option<&'a Arc<Outbox>>,
    pub(super) progress: Option<OpenProgress>,
}

impl<'a> Call<'a> {
    /// The client that calls.
    #[must_use]
    pub const fn client(&self) -> &Client {
        self.client
    }

    /// The server's publisher.
    #[must_use]
    pub const fn publisher(&self) -> &Publisher {
        self.publisher
    }

    /// The service that the method belongs to.
    ///
    /// # Panics
    /// When the route was built for another type; the table is built from the type itself.
    #[must_use]
    pub fn service<S: Service>(&self) -> &'a S {
        let service = self.service.downcast_ref();
        service.unwrap_or_else(|| unreachable!("the route of `{}` leads to another service", self.method.uri))
    }

    /// The service and what answers the call, for a handler that outlives the call of its shim.
    ///
    /// # Panics
    /// As [`service`](Self::service) does.
    #[must_use]
    pub fn shared<S: Service>(&self) -> (Arc<S>, Reply) {
        match S::ERASURE.find(Arc::clone(self.service)) {
            Some(service) => (service, self.reply.clone()),
            None => unreachable!("the route of `{}` leads to another service", self.method.uri),
        }
    }

    /// The value of the parameter at `index`.
    ///
    /// # Errors
    /// The argument is missing or does not fit.
    pub fn take<T: Parameter>(&mut self, index: usize) -> Result<T, ArgumentError> {
        T::take(self, index)
    }

    /// The value of the parameter at `index`, or `default` when the call has none.
    ///
    /// # Errors
    /// The argument does not fit.
    pub fn take_or<T: Parameter>(&mut self, index: usize, default: impl FnOnce() -> T) -> Result<T, ArgumentError> {
        if self.bound.slot(index).is_some() { T::take(self, index) } else { Ok(default()) }
    }

    /// Whether the call was cancelled, now or later.
    pub fn cancel(&mut self) -> Cancel {
        self.cancel.get_or_insert_default().clone()
    }

    /// Where progress is to be reported to, if anywhere.
    pub(super) fn listener(&mut self) -> Option<Listener> {
        let outbox = self.outbox?;
        let progress = self.progress.get_or_insert_with(|| OpenProgress::new(outbox));
        Some(progress.listener(&self.reply))
    }

    /// What answers the call.
    #[must_use]
    pub const fn reply(&self) -> &Reply {
        &self.reply
    }
}

/// How one call is answered.
#[derive(Clone)]
pub struct Reply {
    pub(crate) id: MessageId,
    pub(super) wire: &'static dyn Protocol,
    pub(super) method: &'static str,
    pub(super) expose: bool,
}

impl Reply {
    /// The frames of the reply with this result, or of the error that it cannot be serialized.
    pub fn result(&self, value: &dyn erased_serde::Serialize) -> Encoded {
        match self.encode(Content::Result(value)) {
            Ok(encoded) => encoded,
            Err(error) => {
                tracing::warn!(method = self.method, error, "a result cannot be serialised");
                self.error(
                    CallError::new(ErrorCode::ResultSerialize, "Method result cannot be serialized").with_data(self.method),
                )
            }
        }
    }

    /// The frames of the reply with this error.
    pub fn error(&self, error: CallError) -> Encoded {
        let report = error.report(self.method, self.expose);
        if let Some(text) = report.log {
            tracing::error!(method = self.method, "{text}");
        }
        refusal(self.wire, &self.id, &report.error)
    }

    fn encode(&self, content: Content<'_>) -> Result<Encoded, String> {
        self.wire.encode(&Outgoing { subject: Subject::Reply(&self.id), content }).map_err(|error| error.0)
    }
}

/// The frames of an error reply.
pub fn refusal(wire: &dyn Protocol, id: &MessageId, error: &CallError) -> Encoded {
    let encode = |error: &CallError| wire.encode(&Outgoing { subject: Subject::Reply(id), content: Content::Error(error) });
    let encoded = encode(error).or_else(|_| encode(&CallError::new(error.code(), error.message())));
    encoded.unwrap_or_else(|_| Encoded::nothing()).failed(error.code())
}

/// A value that a method can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of an RPC method",
    label = "cannot be sent to a client",
    note = "if the type is yours, derive `serde::Serialize` for it",
    note = "if it is not, return what serde can serialise: `.await` a future in an `async fn`, collect an iterator into a `Vec`, and write `#[topic]` for a stream"
)]
pub trait Output {
    /// As serde sees it.
    fn as_serialize(&self) -> &dyn erased_serde::Serialize;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Output for T {
    fn as_serialize(&self) -> &dyn erased_serde::Serialize {
        self
    }
}

/// What a handler returned. `send` tells a `Result` from other values by its type, not its spelling:
/// the inherent method is for `Result`, the trait's for the rest.
pub struct Returned<T>(pub T);

impl<T, E> Returned<Result<T, E>> {
    /// Whether it is a `Result`.
    pub const IS_RESULT: bool = true;

    /// Encodes the reply.
    pub fn send(self, reply: &Reply) -> Encoded
    where
        T: Output,
        E: RpcError,
    {
        match self.0 {
            Ok(value) => reply.result(value.as_serialize()),
            Err(error) => reply.error(error.into_call_error()),
        }
    }
}

/// `send` for values that are no `Result`.
pub trait Plain<T> {
    /// Whether it is a `Result`.
    const IS_RESULT: bool = false;

    /// Encodes the reply.
    fn send(self, reply: &Reply) -> Encoded
    where
        T: Output;
}

// The bound is the method's, so that a type without it is told so, and not that `send` is missing.
impl<T> Plain<T> for Returned<T> {
    fn send(self, reply: &Reply) -> Encoded
    where
        T: Output,
    {
        reply.result(self.0.as_serialize())
    }
}

/// What became of a call when its shim returned.
pub struct Outcome(pub(super) Handler);

pub(super) enum Handler {
    Done(Encoded),
    Future(Pin<Box<dyn Future<Output = Encoded> + Send>>),
    Detached(Pin<Box<dyn Future<Output = Encoded> + Send>>),
    Blocking(Box<dyn FnOnce() -> Encoded + Send>),
    Events(Events),
}

/// What a subscription with a stream of its own receives.
pub type Events = Pin<Box<dyn Stream<Item = Box<dyn Payload + Send>> + Send>>;

impl Outcome {
    /// The handler has returned.
    #[must_use]
    pub const fn done(reply: Encoded) -> Self {
        Self(Handler::Done(reply))
    }

    /// The handler is asynchronous.
    pub fn future(handler: impl Future<Output = Encoded> + Send + 'static) -> Self {
        Self(Handler::Future(Box::pin(handler)))
    }

    /// The handler is asynchronous and goes on when its client does not wait any more.
    pub fn detached(handler: impl Future<Output = Encoded> + Send + 'static) -> Self {
        Self(Handler::Detached(Box::pin(handler)))
    }

    /// The events of one subscription.
    pub fn events<T: Payload + Send + 'static>(events: impl Stream<Item = T> + Send + 'static) -> Self {
        Self(Handler::Events(Box::pin(events.map(|payload| Box::new(payload) as Box<dyn Payload + Send>))))
    }

    /// The handler is to run where it may block.
    pub fn blocking(handler: impl FnOnce() -> Encoded + Send + 'static) -> Self {
        Self(Handler::Blocking(Box::new(handler)))
    }
}

/// What a generated shim returns: what became of the call, or which argument is wrong.
pub type Called = Result<Outcome, ArgumentError>;

/// What a parameter is, asked where its type may be none: that it cannot be taken is said where it is.
#[doc(hidden)]
pub struct KindOf<T>(PhantomData<T>);

impl<T: Parameter> KindOf<T> {
    /// Where its value comes from.
    pub const KIND: ParameterKind = T::KIND;
}

/// For types that are no parameters.
#[doc(hidden)]
pub trait OfAnyKind {
    /// What it would have to be.
    const KIND: ParameterKind = ParameterKind::Wire;
}

impl<T> OfAnyKind for KindOf<T> {}
