//! Documentation comments as one text: written out where the macro can read them, left to the compiler
//! where only it can (`#[doc = concat!(…)]`, `#[doc = include_str!(…)]`).

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// What stands in the `doc` attributes of an item.
#[derive(Clone, Default)]
pub(crate) struct Docs(Vec<Piece>);

#[derive(Clone)]
enum Piece {
    Text(String),
    /// A macro call that makes a text.
    Made(Expr),
}

impl Docs {
    /// Each line without the space that follows `///`.
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
            let Meta::NameValue(pair) = &attribute.meta else { continue };
            match (&pair.value, pieces.last_mut()) {
                (Expr::Lit(ExprLit { lit: Lit::Str(text), .. }), Some(Piece::Text(before))) => {
                    before.push('\n');
                    before.push_str(&unindented(&text.value()));
                }
                (Expr::Lit(ExprLit { lit: Lit::Str(text), .. }), _) => pieces.push(Piece::Text(unindented(&text.value()))),
                (made, _) => pieces.push(Piece::Made(made.clone())),
            }
        }
        if let [Piece::Text(only)] = &mut pieces[..] {
            *only = only.trim().to_owned();
        }
        Self(pieces)
    }

    /// The text, where the macro knows all of it.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.0[..] {
            [] => Some(""),
            [Piece::Text(only)] => Some(only),
            _ => None,
        }
    }

    /// How it begins, as far as the macro knows.
    pub(crate) fn opening(&self) -> &str {
        if let Some(Piece::Text(text)) = self.0.first() { text.trim() } else { "" }
    }

    /// As an expression: a literal, or a `concat!` of what is there and what the compiler finds.
    pub(crate) fn value(&self, concat: &TokenStream) -> TokenStream {
        if let Some(text) = self.text() {
            return text.to_token_stream();
        }
        let pieces = self.0.iter().enumerate().map(|(index, piece)| {
            let line = (index > 0).then(|| quote!("\n",));
            match piece {
                Piece::Text(text) => quote!(#line #text),
                Piece::Made(made) => quote!(#line #made),
            }
        });
        quote!(#concat!(#(#pieces),*))
    }
}

fn unindented(text: &str) -> String {
    text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}
