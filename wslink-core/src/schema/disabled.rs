//! The schemas of errors where no manifest is built: none.

/// The fields of an error.
#[derive(Debug)]
pub struct ErrorFields;
