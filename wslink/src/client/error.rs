//! The errors of a client.

use std::{error::Error as StdError, fmt, io, sync::Arc};

use crate::{CallError, ErrorCode, RpcError, Value, transport::ConnectError};

/// Why a call, a subscription or a connection failed.
///
/// ```
/// use wslink::client::Error;
///
/// /// Whether making the same call again cannot do anything twice.
/// fn may_repeat(error: &Error) -> bool {
///     matches!(error, Error::Lost { maybe_executed: false })
/// }
/// # assert!(!may_repeat(&Error::Timeout));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server answered with an error.
    Call(CallError),
    /// The connection was lost before the answer came.
    Lost {
        /// Whether the whole request may have reached the server.
        maybe_executed: bool,
    },
    /// The answer did not come in time. The server may have executed the call, in part or wholly.
    Timeout,
    /// The session was closed.
    Closed,
    /// A result or payload is not of the type that was asked for; the text names the method or topic, the type, and
    /// what came instead.
    Decode(String),
    /// Arguments cannot be serialised, or are no list and no map.
    Encode(String),
    /// The request is larger than the server takes; it was not executed.
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest that the server takes.
        limit: usize,
    },
    /// Payloads came faster than they were taken from the subscription, which has ended for that.
    Lagged,
    /// The address cannot be one of a server; the text says why.
    Address(String),
    /// A setting of the session cannot be used; the text says which, and why.
    Setting(String),
    /// A certificate cannot be used; the text says why.
    Certificate(String),
    /// The network or the operating system refused.
    Io(Arc<io::Error>),
    /// What answered is no wslink server, or not in time; the text says what it did.
    Handshake(String),
    /// The server did not admit us.
    Unauthorized(CallError),
    /// The callback for tokens failed.
    Token(Arc<dyn StdError + Send + Sync>),
}

impl Error {
    /// `what` of `name` is no `T`, and `why`.
    #[cold]
    pub(super) fn misread<T>(what: &str, name: &str, why: &str) -> Self {
        Self::Decode(format!("{what} of `{name}` is no `{}`: {why}", std::any::type_name::<T>()))
    }

    /// The error of the service, as its method returned it; see [`CallError::typed`].
    ///
    /// ```no_run
    /// use wslink::{RpcError, client::{Error, Session}};
    ///
    /// #[derive(Debug, RpcError)]
    /// enum RenderError {
    ///     /// The view has no camera.
    ///     #[rpc_error(code = 404)]
    ///     NoCamera { view: String },
    /// }
    ///
    /// # async fn example(session: Session) -> Result<(), Error> {
    /// match session.call::<()>("render.reset", ("left",)).await {
    ///     Ok(()) => {}
    ///     Err(error) => match error.typed() {
    ///         Some(RenderError::NoCamera { view }) => println!("put a camera into {view}"),
    ///         None => return Err(error),
    ///     },
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn typed<E: RpcError>(&self) -> Option<E> {
        match self {
            Self::Call(error) => error.typed(),
            _ => None,
        }
    }
}

/// The error of a call that the server answered with `error`.
pub(super) fn refused(error: CallError) -> Error {
    let size = |name| match error.data()?.get(name)? {
        Value::Integer(size) => usize::try_from(*size).ok(),
        _ => None,
    };
    match (error.code(), size("limit"), size("got")) {
        (ErrorCode::TooLarge, Some(limit), Some(bytes)) => Error::TooLarge { bytes, limit },
        _ => Error::Call(error),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(f),
            Self::Lost { maybe_executed: true } => f.write_str("the connection was lost; the call may have been executed"),
            Self::Lost { maybe_executed: false } => f.write_str("the connection was lost before the call was sent"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Closed => f.write_str("the session is closed"),
            Self::Decode(why) => f.write_str(why),
            Self::Encode(why) => write!(f, "cannot be sent: {why}"),
            Self::TooLarge { bytes, limit } => write!(f, "{bytes} bytes are more than the {limit} that the server takes"),
            Self::Lagged => f.write_str("payloads came faster than they were taken"),
            Self::Address(why) => write!(f, "invalid URL: {why}"),
            Self::Setting(why) => write!(f, "invalid setting: {why}"),
            Self::Certificate(why) => write!(f, "no certificate: {why}"),
            Self::Io(error) => error.fmt(f),
            Self::Handshake(why) => write!(f, "no wslink server: {why}"),
            Self::Unauthorized(error) => write!(f, "not admitted: {error}"),
            Self::Token(error) => write!(f, "no token: {error}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Call(error) | Self::Unauthorized(error) => Some(error),
            Self::Io(error) => Some(&**error),
            Self::Token(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Io(error) => Self::Io(Arc::new(error)),
            ConnectError::Refused(why) => Self::Handshake(why),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}
