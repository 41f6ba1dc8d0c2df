//! JSON as wslink writes it: `NaN`, `Infinity` and `-Infinity` are words, and binary data stands as
//! the key of an attachment.
//!
//! These two keep `serde_json` from reading and writing it; strings and numbers are left to it.

use std::{borrow::Cow, fmt};

pub(super) use self::{
    cursor::{Cursor, text_at},
    de::Json,
    ser::{Writer, Written},
};

mod cursor;
mod de;
mod ser;

/// What went wrong in reading or writing.
#[derive(Debug)]
pub(in super::super) struct Error(Cow<'static, str>);

impl Error {
    const fn new(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string().into())
    }
}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string().into())
    }
}
