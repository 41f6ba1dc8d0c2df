//! Matches the arguments of a call with the parameters of a method, by position and by name, as
//! Python does. Decides which argument is whose; what a value means is up to its type.

use std::borrow::Cow;

use serde::de::{Deserializer, Visitor, value::Error as ValueError};
use smallvec::SmallVec;

use super::{ParameterDescriptor, ParameterKind};
use crate::{
    CallError, ErrorCode, Value,
    wire::{Arguments, Span},
};

/// Texts from a failed deserialisation may quote the peer's own data, so they are cut.
const MAX_TEXT: usize = 200;

/// Which argument goes to which parameter.
#[derive(Debug, Default)]
pub struct Bound {
    /// By parameter index.
    slots: SmallVec<[Option<Span>; 8]>,
    /// Left over for a parameter that takes the rest: the positional arguments from here on, and these.
    pub rest: usize,
    /// The arguments that were passed by name, in the order of the request.
    pub named: Vec<(String, Span)>,
}

impl Bound {
    /// The argument of the parameter at `index`; `None` if its default applies.
    #[inline]
    pub fn slot(&self, index: usize) -> Option<Span> {
        self.slots.get(index).copied().flatten()
    }

    /// Binds `arguments` to `parameters`.
    #[inline]
    pub fn bind(&mut self, arguments: &mut Arguments, parameters: &[ParameterDescriptor]) -> Result<(), ArgumentError> {
        let mut given = arguments.positional.iter().copied();
        let mut takes_rest = false;
        for parameter in parameters {
            takes_rest |= parameter.kind == ParameterKind::Rest;
            self.slots.push(if parameter.kind == ParameterKind::Wire { given.next() } else { None });
        }
        self.rest = arguments.positional.len() - given.len();
        if !takes_rest && given.len() > 0 {
            let got = format!("{} arguments", arguments.positional.len());
            return Err(ArgumentError::new(None, format!("at most {} positional arguments", wire(parameters).count()), got));
        }
        if !arguments.named.is_empty() {
            self.bind_named(arguments, parameters, takes_rest)?;
        }
        Ok(())
    }

    fn bind_named(
        &mut self,
        arguments: &mut Arguments,
        parameters: &[ParameterDescriptor],
        takes_rest: bool,
    ) -> Result<(), ArgumentError> {
        for (key, span) in std::mem::take(&mut arguments.named) {
            let name: String = arguments.value(key).map_err(|error| ArgumentError::mismatch(None, &error))?;
            match wire(parameters).find(|(_, parameter)| parameter.name == name) {
                Some((index, parameter)) => {
                    if self.slots[index].replace(span).is_some() {
                        return Err(ArgumentError::new(Some(parameter.name), "one value", "two, by position and by name".into()));
                    }
                }
                None if takes_rest => self.named.push((name, span)),
                None => {
                    let known: Vec<_> = wire(parameters).map(|(_, parameter)| parameter.name).collect();
                    let expected = if known.is_empty() { "no arguments".into() } else { known.join(", ") };
                    return Err(ArgumentError::unknown(cut(&name).to_owned(), expected));
                }
            }
        }
        Ok(())
    }
}

/// The parameters that are arguments, each with its index.
fn wire(parameters: &[ParameterDescriptor]) -> impl Iterator<Item = (usize, &ParameterDescriptor)> {
    parameters.iter().enumerate().filter(|(_, parameter)| parameter.kind == ParameterKind::Wire)
}

/// Why a parameter has no value: its argument is missing, surplus, given twice, or of the wrong type; or any [`CallError`]
/// of a parameter that decides by other means than arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct ArgumentError(Reason);

#[derive(Debug, Clone, PartialEq)]
enum Reason {
    Argument { parameter: Option<Cow<'static, str>>, expected: String, got: String },
    Other(Box<CallError>),
}

impl ArgumentError {
    /// The argument for `parameter` was to be `expected`, and is `got`.
    #[must_use]
    pub fn new(parameter: Option<&'static str>, expected: impl Into<String>, got: String) -> Self {
        Self(Reason::Argument { parameter: parameter.map(Cow::Borrowed), expected: expected.into(), got })
    }

    /// There is no parameter of that `name`.
    fn unknown(name: String, expected: String) -> Self {
        let got = format!("an argument named `{name}`");
        Self(Reason::Argument { parameter: Some(name.into()), expected, got })
    }

    /// From what serde says: "invalid type: X, expected Y", or anything else.
    pub(super) fn mismatch(parameter: Option<&'static str>, error: &impl ToString) -> Self {
        let text = error.to_string();
        if let Some(field) = text.strip_prefix("missing field ") {
            return Self::new(parameter, format!("a field {}", cut(field)), "no such field".to_owned());
        }
        let (got, expected) = text.rsplit_once(", expected ").unwrap_or((&text, "another value"));
        let got = ["invalid type: ", "invalid value: ", "invalid "]
            .into_iter()
            .find_map(|prefix| got.strip_prefix(prefix))
            .unwrap_or(got);
        Self::new(parameter, cut(expected), cut(got).to_owned())
    }

    /// The error reply for a call of `method`.
    pub fn into_call_error(self, method: &str) -> CallError {
        let (parameter, expected, got) = match self.0 {
            Reason::Argument { parameter, expected, got } => (parameter, expected, got),
            Reason::Other(error) => return *error,
        };
        CallError::new(ErrorCode::InvalidParams, "Invalid params").with_data(Value::map([
            ("method", Value::from(method)),
            ("param", Value::from(parameter.map(Cow::into_owned))),
            ("expected", Value::from(expected)),
            ("got", Value::from(got)),
        ]))
    }
}

/// The client receives this error instead of -32602.
impl From<CallError> for ArgumentError {
    fn from(error: CallError) -> Self {
        Self(Reason::Other(Box::new(error)))
    }
}

fn cut(text: &str) -> &str {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// Deserialises to `None` where an `Option` is wanted, however it is spelled; anything else is missing.
pub(crate) struct Missing;

impl<'de> Deserializer<'de> for Missing {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        struct Expected<V>(V);
        impl<'de, V: Visitor<'de>> serde::de::Expected for Expected<V> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.expecting(f)
            }
        }
        Err(serde::de::Error::invalid_type(serde::de::Unexpected::Other("nothing"), &Expected(visitor)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
