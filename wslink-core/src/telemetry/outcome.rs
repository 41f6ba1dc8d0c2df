//! How calls end, in few enough words to count by.

use crate::ErrorCode;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    /// An error of the application's own.
    Error,
    Exception,
    Unserialisable,
    BadArguments,
    NotFound,
    Unauthorized,
    Forbidden,
    Invalid,
    Cancelled,
    Deadline,
    Overloaded,
    /// Its client was gone before it ended.
    Abandoned,
}

impl Outcome {
    pub const COUNT: usize = Self::Abandoned as usize + 1;

    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Exception => "exception",
            Self::Unserialisable => "unserialisable",
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

    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::Ok,
        Self::Error,
        Self::Exception,
        Self::Unserialisable,
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
            ErrorCode::Authentication => Self::Unauthorized,
            ErrorCode::InvalidRequest | ErrorCode::TooLarge => Self::Invalid,
            ErrorCode::MethodNotFound => Self::NotFound,
            ErrorCode::InvalidParams => Self::BadArguments,
            ErrorCode::Exception => Self::Exception,
            ErrorCode::ResultSerialize => Self::Unserialisable,
            ErrorCode::Cancelled => Self::Cancelled,
            ErrorCode::DeadlineExceeded => Self::Deadline,
            ErrorCode::Overloaded => Self::Overloaded,
            ErrorCode::Forbidden => Self::Forbidden,
            ErrorCode::Application(_) => Self::Error,
        }
    }
}
