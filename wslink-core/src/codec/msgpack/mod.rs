//! MessagePack as wslink writes it: structs as maps, the text forms of JSON, binary data as `bin`.

pub(crate) use self::{
    de::Reader,
    ser::{Output, Writer, put_text},
};

mod de;
mod ser;

/// Deeper nesting is refused.
pub(crate) const MAX_DEPTH: usize = 128;
