//! The text of an error: a format string whose braces name fields.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, ExprLit, Lit, LitStr};

use super::variant::Field;
use crate::mistakes::{Mistakes, suggestion};

/// What an error says of itself.
pub(crate) enum Message {
    /// Words alone.
    Text(String),
    /// `message = "… {field} …"`
    Format { literal: LitStr, pieces: Vec<Piece> },
    /// The only field says it.
    Field(usize),
}

/// A part of a format string.
pub(crate) enum Piece {
    /// Braces are still doubled.
    Text(String),
    /// `{field}`, or `{field:…}` with what stands behind the name.
    Field(usize, String),
}

impl Message {
    /// Of `message = value`.
    pub(super) fn check(value: &Expr, fields: &[Field], mistakes: &mut Mistakes) -> Option<Self> {
        let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = value else {
            mistakes
                .add(value, "`message` is not a string literal; write `message = \"…\"`, with `{field}` where a field belongs");
            return None;
        };
        match pieces(&literal.value(), fields) {
            Ok(pieces) => Some(Self::Format { literal: literal.clone(), pieces }),
            Err(text) => {
                mistakes.add(literal, text);
                None
            }
        }
    }

    /// As the manifest shows it.
    pub(crate) fn template(&self, fields: &[Field]) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Field(index) => format!("{{{}}}", fields[*index].on_the_wire()),
            Self::Format { pieces, .. } => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text.clone(),
                    Piece::Field(index, _) => format!("{{{}}}", fields[*index].on_the_wire()),
                })
                .collect(),
        }
    }

    /// Whether `field` is in it.
    pub(crate) fn uses(&self, field: &Field) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Field(index) => *index == field.index,
            Self::Format { pieces, .. } => {
                pieces.iter().any(|piece| matches!(piece, Piece::Field(index, _) if *index == field.index))
            }
        }
    }

    /// Writes it to `f`, where the fields that it uses are bound.
    pub(crate) fn write(&self, fields: &[Field], f: &TokenStream) -> TokenStream {
        match self {
            Self::Text(text) => quote!(#f.write_str(#text)),
            Self::Field(index) => {
                let field = &fields[*index];
                let binding = &field.binding;
                quote_spanned!(field.place()=> __rt::Display::fmt(#binding, #f))
            }
            Self::Format { literal, pieces } => {
                let format: String = pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Text(text) => text.clone(),
                        Piece::Field(index, rest) => format!("{{{}{rest}}}", fields[*index].binding),
                    })
                    .collect();
                // The compiler points at the user's string when a field cannot be written.
                let span = Span::mixed_site().located_at(literal.span());
                let mut format = Literal::string(&format);
                format.set_span(span);
                let arguments = fields.iter().filter(|field| self.uses(field)).map(|field| {
                    let mut binding = field.binding.clone();
                    binding.set_span(span);
                    quote_spanned!(span=> #binding = #binding)
                });
                quote_spanned!(span=> __rt::write!(#f, #format #(, #arguments)*))
            }
        }
    }
}

fn pieces(format: &str, fields: &[Field]) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        let (text, from) = rest.split_at(at);
        pieces.push(Piece::Text(text.to_owned()));
        if from.starts_with("{{") || from.starts_with("}}") {
            pieces.push(Piece::Text(from[..2].to_owned()));
            rest = &from[2..];
        } else if from.starts_with('}') {
            return Err("a `}` in the message that closes nothing; write `}}` for the character".to_owned());
        } else {
            let end =
                from.find('}').ok_or("a `{` in the message that is not closed; write `{field}`, or `{{` for the character")?;
            pieces.push(field(&from[1..end], fields)?);
            rest = &from[end + 1..];
        }
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

fn field(inside: &str, fields: &[Field]) -> Result<Piece, String> {
    let (name, format) = inside.split_at(inside.find(':').unwrap_or(inside.len()));
    let name = name.trim();
    if let Some(index) = fields.iter().position(|field| field.name == name) {
        return Ok(Piece::Field(index, format.to_owned()));
    }
    let known: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
    Err(match (name, &known[..]) {
        (_, []) => "the message has braces, but the error has no fields; write `{{` and `}}` for the characters".to_owned(),
        ("", _) => format!("`{{}}` in the message names no field; {}", suggestion("", &known)),
        _ => format!("the error has no field `{name}`; {}", suggestion(name, &known)),
    })
}
