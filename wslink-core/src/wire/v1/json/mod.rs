//! JSON as wslink writes it: `NaN`, `Infinity` and `-Infinity` are words, and binary data stands as
//! the key of an attachment.
//!
//! These two keep `serde_json` from reading and writing it; strings and numbers are left to it.

pub(super) use self::{
    cursor::{Cursor, text_at},
    de::Json,
    ser::{Writer, Written},
};

mod cursor;
mod de;
mod place;
mod ser;
