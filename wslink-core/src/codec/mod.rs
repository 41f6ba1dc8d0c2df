//! The representation of values on the wire, where it is the same for every protocol: the place of an error, integers,
//! map keys. MessagePack itself is here too, since errors of applications are described by it.
//!
//! Integers have 64 bits: one of 128 bits is written like any other where it fits, and refused elsewhere. A map key is
//! text; integers, floating-point numbers and truth values are written as text and read back from it.

use std::{borrow::Cow, fmt};

pub(crate) mod key;
pub(crate) mod msgpack;

/// Why a value cannot be written or read.
#[derive(Debug)]
pub(crate) struct Error(Cow<'static, str>);

/// A step from a value to one in it.
pub(crate) enum Step {
    /// The item of a list.
    Item(usize),
    /// The member of a map or struct, or the content of a variant.
    Member(String),
}

/// Longer names and keys are cut in the place of an error.
const MAX_NAME: usize = 64;

impl Error {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }

    /// The same error of the value to which `path` leads: "`entries[3].id`: …".
    pub(crate) fn at(self, path: impl Iterator<Item = Step>) -> Self {
        let mut place = String::new();
        for step in path {
            match step {
                Step::Item(index) => place += &format!("[{index}]"),
                Step::Member(name) => {
                    let end = (0..=MAX_NAME.min(name.len())).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
                    let name = &name[..end];
                    let is_word = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
                    place += &if is_word { format!(".{name}") } else { format!("[{name:?}]") };
                }
            }
        }
        match place.strip_prefix('.').unwrap_or(&place) {
            "" => self,
            place => Self::new(format!("`{place}`: {self}")),
        }
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
        Self::new(message.to_string())
    }
}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

/// An integer of 128 bits in one of 64.
#[derive(Clone, Copy)]
pub(crate) enum Narrow {
    Signed(i64),
    Unsigned(u64),
}

/// `value` as an integer that peers can read without losing a digit.
pub(crate) fn narrow<T: TryInto<i64> + TryInto<u64> + Copy + fmt::Display>(value: T) -> Result<Narrow, Error> {
    if let Ok(value) = value.try_into() {
        return Ok(Narrow::Signed(value));
    }
    let too_large = |_| Error::new(format!("the integer {value} does not fit into 64 bits; send it as text"));
    value.try_into().map(Narrow::Unsigned).map_err(too_large)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_place() {
        let at = |path: Vec<Step>| Error::new("wrong").at(path.into_iter()).to_string();
        let member = |name: &str| Step::Member(name.to_owned());
        assert_eq!(at(vec![]), "wrong");
        assert_eq!(at(vec![member("entries"), Step::Item(3), member("id")]), "`entries[3].id`: wrong");
        assert_eq!(at(vec![Step::Item(0), member("a\n\"")]), r#"`[0]["a\n\""]`: wrong"#);
        assert_eq!(at(vec![member(&"é".repeat(100))]), format!("`{}`: wrong", "é".repeat(32)));
    }
}
