//! The outcomes of calls, few enough to be labels of metrics.

use super::ErrorCode;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The handler returned a result.
    Ok,
    /// An error of the application's own.
    Error,
    /// The handler panicked, or returned an internal error.
    Exception,
    /// The result cannot be serialized.
    Unserializable,
    /// The arguments do not fit the parameters.
    BadArguments,
    /// There is no such method.
    NotFound,
    /// The client has said no good hello.
    Unauthorized,
    /// The principal lacks an authority.
    Forbidden,
    /// The request is malformed.
    Invalid,
    /// The client cancelled the call.
    Cancelled,
    /// The deadline passed.
    Deadline,
    /// A limit was reached.
    Overloaded,
    /// Its client was gone before it ended.
    Abandoned,
}

impl Outcome {
    /// How many outcomes there are.
    pub const COUNT: usize = Self::Abandoned as usize + 1;

    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Exception => "exception",
            Self::Unserializable => "unserializable",
            Self::BadArguments => "bad_arguments",
            Self::NotFound => "not_found",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Invalid => "invalid",
            Self::Cancelled => "cancelled",
            Self::Deadline => "deadline",
            Self::Overloaded => "overloaded",
            Self::Abandoned => "abandoned",
        }
    }

    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Ok,
        Self::Error,
        Self::Exception,
        Self::Unserializable,
        Self::BadArguments,
        Self::NotFound,
        Self::Unauthorized,
        Self::Forbidden,
        Self::Invalid,
        Self::Cancelled,
        Self::Deadline,
        Self::Overloaded,
        Self::Abandoned,
    ];
}

impl From<ErrorCode> for Outcome {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::Authentication | ErrorCode::Unavailable => Self::Unauthorized,
            ErrorCode::InvalidRequest | ErrorCode::TooLarge => Self::Invalid,
            ErrorCode::MethodNotFound => Self::NotFound,
            ErrorCode::InvalidParams => Self::BadArguments,
            ErrorCode::Exception => Self::Exception,
            ErrorCode::ResultSerialize => Self::Unserializable,
            ErrorCode::Cancelled => Self::Cancelled,
            ErrorCode::DeadlineExceeded => Self::Deadline,
            ErrorCode::Overloaded => Self::Overloaded,
            ErrorCode::Forbidden => Self::Forbidden,
            ErrorCode::Application(_) => Self::Error,
        }
    }
}
