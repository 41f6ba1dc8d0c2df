//! Errors, one type per boundary: a client receives a [`CallError`]; building and running a server returns an
//! [`Error`]. `declared.rs` converts a handler's error into a [`CallError`].
//!
//! Knows nothing of wire formats; `wire` writes a [`CallError`], it does not decide one.

use std::{error::Error as StdError, fmt, io};

use serde::Serialize;

#[cfg(feature = "manifest")]
pub(crate) use self::declared::{NESTED, is_nested};
pub use self::{
    declared::{ErrorDescriptor, ErrorField, FieldOf, Internal, RpcError, Unread, internal, told, told_variant},
    location::Location,
    outcome::Outcome,
};
use crate::value::Value;

mod declared;
mod location;
mod outcome;

/// The numeric code of a [`CallError`], as the wslink protocol numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// -32000: the hello was refused, or a call came before a good one.
    Authentication,
    /// -32600: the message has an id but is no request.
    InvalidRequest,
    /// -32601: no method of that name.
    MethodNotFound,
    /// -32602: arguments are missing, surplus, given twice or of the wrong type.
    InvalidParams,
    /// -32001: the handler failed.
    Exception,
    /// -32002: what the handler returned, or what was published, cannot be serialised.
    ResultSerialize,
    /// -32003: the message is larger than the server accepts.
    TooLarge,
    /// -32004: the call was cancelled.
    Cancelled,
    /// -32005: the call did not finish in time.
    DeadlineExceeded,
    /// -32006: the connection has too many calls in flight.
    Overloaded,
    /// -32007: the client is known, and may not do that.
    Forbidden,
    /// -32008: the server cannot decide now who the client is; saying hello again later may succeed.
    Unavailable,
    /// Any other code, chosen by the application.
    Application(i32),
}

impl ErrorCode {
    /// The number on the wire.
    ///
    /// ```
    /// # extern crate wslink_core as wslink;
    /// assert_eq!(wslink::ErrorCode::MethodNotFound.number(), -32601);
    /// ```
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Authentication => -32000,
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::InvalidParams => -32602,
            Self::Exception => -32001,
            Self::ResultSerialize => -32002,
            Self::TooLarge => -32003,
            Self::Cancelled => -32004,
            Self::DeadlineExceeded => -32005,
            Self::Overloaded => -32006,
            Self::Forbidden => -32007,
            Self::Unavailable => -32008,
            Self::Application(number) => number,
        }
    }

    /// What a number on the wire means.
    ///
    /// ```
    /// # extern crate wslink_core as wslink;
    /// use wslink::ErrorCode;
    ///
    /// assert_eq!(ErrorCode::from_number(-32601), ErrorCode::MethodNotFound);
    /// assert_eq!(ErrorCode::from_number(404), ErrorCode::Application(404));
    /// ```
    #[must_use]
    pub const fn from_number(number: i32) -> Self {
        match number {
            -32000 => Self::Authentication,
            -32600 => Self::InvalidRequest,
            -32601 => Self::MethodNotFound,
            -32602 => Self::InvalidParams,
            -32001 => Self::Exception,
            -32002 => Self::ResultSerialize,
            -32003 => Self::TooLarge,
            -32004 => Self::Cancelled,
            -32005 => Self::DeadlineExceeded,
            -32006 => Self::Overloaded,
            -32007 => Self::Forbidden,
            -32008 => Self::Unavailable,
            number => Self::Application(number),
        }
    }
}

/// An error as a client receives it: a code, a message and, where there is more to say, data.
///
/// Return it from a handler to choose all three:
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::{CallError, ErrorCode};
///
/// fn divide(a: i64, b: i64) -> Result<i64, CallError> {
///     a.checked_div(b).ok_or_else(|| {
///         CallError::new(ErrorCode::Application(400), "Division by zero").with_data(b)
///     })
/// }
/// # assert_eq!(divide(1, 0).unwrap_err().message(), "Division by zero");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CallError {
    code: ErrorCode,
    message: String,
    data: Option<Value>,
    origin: Origin,
}

/// Whether the dispatcher still has to dress the error up for the client.
#[derive(Clone, Debug, PartialEq)]
enum Origin {
    /// Complete as it stands.
    Complete,
    /// A handler's failure whose text is meant for the client.
    Exception(String),
    /// A handler's failure whose text is for the log only.
    Internal(String),
}

/// How a failed handler is reported: what the client is told, and what only the log is told.
pub struct Report {
    pub error: CallError,
    pub log: Option<String>,
}

impl CallError {
    /// An error with `code` and `message` and no data.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None, origin: Origin::Complete }
    }

    /// "Exception raised" (-32001) with `text` in its data: for errors that the caller should read.
    #[must_use]
    pub fn exception(text: impl Into<String>) -> Self {
        Self { origin: Origin::Exception(text.into()), ..Self::new(ErrorCode::Exception, "Exception raised") }
    }

    /// "Exception raised" (-32001) that tells the client a correlation id only; `detail` goes to the log.
    #[must_use]
    pub fn internal(detail: impl fmt::Display) -> Self {
        Self { origin: Origin::Internal(detail.to_string()), ..Self::new(ErrorCode::Exception, "Exception raised") }
    }

    /// The same error with `data` for the client.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the client gets beside the message.
    #[must_use]
    pub const fn data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    /// The error of the service, as the handler returned it: for clients that know its type.
    ///
    /// `None` when it is another error, such as one of the protocol, or a variant that clients are not
    /// told in full: `internal`, with a field that is skipped, or with one that is not `Deserialize`.
    ///
    /// ```
    /// # extern crate wslink_core as wslink;
    /// use wslink::RpcError;
    ///
    /// #[derive(Debug, PartialEq, RpcError)]
    /// enum RenderError {
    ///     /// The view has no camera.
    ///     #[rpc_error(code = 404)]
    ///     NoCamera { view: String },
    /// }
    ///
    /// # let told = RenderError::NoCamera { view: "left".into() }.into_call_error();
    /// match told.typed() {
    ///     Some(RenderError::NoCamera { view }) => println!("put a camera into {view}"),
    ///     None => println!("{told}"),
    /// }
    /// # assert_eq!(told.typed(), Some(RenderError::NoCamera { view: "left".into() }));
    /// ```
    #[must_use]
    pub fn typed<E: RpcError>(&self) -> Option<E> {
        E::from_call_error(self)
    }

    /// Completes a handler's error: names the method, gives it a correlation id, and keeps internal
    /// text from the client unless `expose` says otherwise.
    pub fn report(mut self, method: &str, expose: bool) -> Report {
        let (shown, log) = match std::mem::replace(&mut self.origin, Origin::Complete) {
            Origin::Complete => return Report { error: self, log: None },
            Origin::Exception(text) => (text, None),
            Origin::Internal(text) if expose => (text.clone(), Some(text)),
            Origin::Internal(text) => ("internal error".to_owned(), Some(text)),
        };
        let trace = correlation_id();
        let log = log.map(|text| format!("{method} failed ({trace}): {}", one_line(&text)));
        let data =
            Value::map([("method", Value::from(method)), ("exception", Value::from(shown)), ("trace", Value::from(trace))]);
        Report { error: self.with_data(data), log }
    }
}

/// A text that may hold what a client sent, as one line of a log: whoever could end the line could forge the next.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if breaks(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code.number())?;
        match &self.origin {
            Origin::Complete => Ok(()),
            Origin::Exception(text) | Origin::Internal(text) => write!(f, ": {text}"),
        }
    }
}

impl StdError for CallError {}

/// `{"code", "message", "data"?}`, in this order.
impl Serialize for CallError {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(2 + usize::from(self.data.is_some())))?;
        map.serialize_entry("code", &self.code.number())?;
        map.serialize_entry("message", &self.message)?;
        if let Some(data) = &self.data {
            map.serialize_entry("data", data)?;
        }
        map.end()
    }
}

fn correlation_id() -> String {
    let mut bytes = [0; 8];
    // Without entropy the id is merely less useful; the call's answer must not depend on it.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why a server could not be built or run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Two methods or topics of the table have the same URI.
    Duplicate {
        /// The URI.
        uri: &'static str,
        /// Where the two were written, in the order in which they were mounted.
        places: [Location; 2],
    },
    /// Services are linked into the program but were not mounted, and the builder is `strict`.
    NotMounted(Vec<&'static str>),
    /// A setting is out of its range; the text says which and what to write.
    Setting(String),
    /// The operating system refused: binding, accepting, reading a file.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { uri, places: [first, second] } if first == second => {
                write!(f, "the service with `{uri}` (at {first}) is mounted twice; mount it once")
            }
            Self::Duplicate { uri, places: [first, second] } => {
                write!(f, "`{uri}` is registered twice: at {first} and at {second}; rename one of them")
            }
            Self::NotMounted(names) => {
                write!(f, "linked but not mounted: {}; mount them with `.service(…)`, or drop `.strict()`", names.join(", "))
            }
            Self::Setting(text) => f.write_str(text),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Duplicate { .. } | Self::NotMounted(_) | Self::Setting(_) => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_handler_failed_with_is_one_line_of_the_log() {
        let report = CallError::internal("a\r\n2026-12-01 ERROR forged\u{1b}[2J\u{2028}").report("m", false);
        let logged = report.log.unwrap();
        assert!(logged.ends_with(r"a\r\n2026-12-01 ERROR forged\u{1b}[2J\u{2028}"), "{logged}");
        assert!(!logged.chars().any(char::is_control));
    }

    #[test]
    fn one_service_mounted_twice_is_told_from_two_methods_of_one_name() {
        let place = |line| Location { file: "a.rs", line, column: 1 };
        let duplicate = |first, second| Error::Duplicate { uri: "a.b", places: [place(first), place(second)] }.to_string();
        assert_eq!(duplicate(1, 1), "the service with `a.b` (at a.rs:1:1) is mounted twice; mount it once");
        assert_eq!(duplicate(1, 2), "`a.b` is registered twice: at a.rs:1:1 and at a.rs:2:1; rename one of them");
    }
}
