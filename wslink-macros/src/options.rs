//! The inside of our attributes, `"literal", flag, key = value`, before anybody asks what it means.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Expr, ExprLit, Ident, Lit, Meta, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::mistakes::{Mistakes, suggestion};

/// The options of one attribute; every key is known and given once.
pub(crate) struct Options {
    /// What stands for the attribute as a whole when something is missing.
    place: TokenStream,
    positional: Vec<Expr>,
    named: Vec<(Ident, Option<Expr>)>,
    /// False when a mistake hides what else there is.
    complete: bool,
    /// The attribute's name, when a URI stands first in it.
    takes_uri: Option<String>,
}

/// What other libraries call the option that is the URI here.
const LIKE_URI: [&str; 9] = ["channel", "event", "method", "name", "path", "rename", "topic", "uri", "url"];

enum Entry {
    Positional(Expr),
    Named(Ident, Option<Expr>),
}

impl Options {
    /// Reads `#[rpc(…)]` or `#[topic(…)]`, of which people write the URI as an option of some name.
    pub(crate) fn of_item(attribute: &Attribute, known: &[&str], mistakes: &mut Mistakes) -> Self {
        let Meta::List(list) = &attribute.meta else { return Self::of(attribute, known, mistakes) };
        let path = attribute.path();
        let mut options = Self { takes_uri: Some(name(attribute)), ..Self::none(quote!(#path)) };
        options.fill(list.tokens.clone(), known, mistakes);
        options
    }

    /// Reads `#[name(…)]`.
    pub(crate) fn of(attribute: &Attribute, known: &[&str], mistakes: &mut Mistakes) -> Self {
        let path = attribute.path();
        let place = quote!(#path);
        match &attribute.meta {
            Meta::Path(_) => Self::none(place),
            Meta::List(list) => Self::read(place, list.tokens.clone(), known, mistakes),
            Meta::NameValue(pair) => {
                let name = name(attribute);
                mistakes.add(&pair.value, format!("`#[{name}]` takes no `=`; write `#[{name}(…)]`, with parentheses"));
                Self { complete: false, ..Self::none(place) }
            }
        }
    }

    /// An attribute without any.
    pub(crate) const fn none(place: TokenStream) -> Self {
        Self { place, positional: Vec::new(), named: Vec::new(), complete: true, takes_uri: None }
    }

    /// Reads what stands between the parentheses.
    pub(crate) fn read(place: TokenStream, inside: TokenStream, known: &[&str], mistakes: &mut Mistakes) -> Self {
        let mut options = Self::none(place);
        options.fill(inside, known, mistakes);
        options
    }

    fn fill(&mut self, inside: TokenStream, known: &[&str], mistakes: &mut Mistakes) {
        let mut errors = Vec::new();
        let parsed = (|input: ParseStream<'_>| {
            while !input.is_empty() {
                match entry(input)? {
                    Entry::Positional(value) => self.positional.push(value),
                    Entry::Named(key, value) => self.named(key, value, known, &mut errors),
                }
                if !input.is_empty() {
                    input
                        .parse::<Token![,]>()
                        .map_err(|error| syn::Error::new(error.span(), "no comma before this; write `,`"))?;
                }
            }
            Ok(())
        })
        .parse2(inside);
        self.complete &= parsed.is_ok();
        errors.extend(parsed.err());
        errors.into_iter().for_each(|error| mistakes.add_error(error));
    }

    fn named(&mut self, key: Ident, value: Option<Expr>, known: &[&str], errors: &mut Vec<syn::Error>) {
        let word = key.unraw().to_string();
        if let Some(Expr::Lit(ExprLit { lit: Lit::Str(uri), .. })) = &value
            && let Some(attribute) = &self.takes_uri
            && LIKE_URI.contains(&word.as_str())
        {
            let text = format!("the URI stands alone, without `{word} =`; write `#[{attribute}({})]`", uri.token());
            errors.push(syn::Error::new_spanned(&key, text));
            self.complete = false;
        } else if !known.contains(&word.as_str()) {
            errors.push(syn::Error::new(key.span(), format!("unknown option `{word}`; {}", suggestion(&word, known))));
        } else if self.named.iter().any(|(earlier, _)| *earlier == key) {
            errors.push(syn::Error::new(key.span(), format!("option `{word}` is given twice; remove one of them")));
        } else {
            self.named.push((key, value));
        }
    }

    /// Reports that something is missing, unless it may have been there.
    pub(crate) fn missing(&self, text: &str, mistakes: &mut Mistakes) {
        if self.complete {
            mistakes.add(&self.place, text);
        }
    }

    /// What stands without a key.
    pub(crate) fn positional(&self) -> &[Expr] {
        &self.positional
    }

    /// The option `key`, if it is there, with its value, if it has one.
    pub(crate) fn find(&self, key: &str) -> Option<(&Ident, Option<&Expr>)> {
        self.named.iter().find(|(named, _)| named == key).map(|(key, value)| (key, value.as_ref()))
    }

    /// The option `key`, which has no value.
    pub(crate) fn flag(&self, key: &str, mistakes: &mut Mistakes) -> Option<&Ident> {
        let (flag, value) = self.find(key)?;
        if let Some(value) = value {
            mistakes.add(value, format!("`{key}` has no value; write `{key}` alone, or leave it out"));
        }
        Some(flag)
    }

    /// The value of the option `key`, which must have one, such as `example`.
    pub(crate) fn value(&self, key: &str, example: &str, mistakes: &mut Mistakes) -> Option<&Expr> {
        let (named, value) = self.find(key)?;
        if value.is_none() {
            mistakes.add(named, format!("`{key}` has no value; write `{key} = {example}`"));
        }
        value
    }
}

fn entry(input: ParseStream<'_>) -> syn::Result<Entry> {
    if !starts_with_key(input) {
        return Ok(Entry::Positional(value(input)?));
    }
    let key = input.call(Ident::parse_any)?;
    let Some(equals) = input.parse::<Option<Token![=]>>()? else {
        return Ok(Entry::Named(key, None));
    };
    if input.is_empty() || input.peek(Token![,]) {
        let text = format!("nothing stands behind `{key} =`; write a value, or remove the option");
        return Err(syn::Error::new(equals.span(), text));
    }
    Ok(Entry::Named(key, Some(value(input)?)))
}

fn starts_with_key(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let is_key = ahead.call(Ident::parse_any).is_ok();
    is_key && (ahead.is_empty() || ahead.peek(Token![,]) || ahead.peek(Token![=]) && !ahead.peek(Token![==]))
}

fn value(input: ParseStream<'_>) -> syn::Result<Expr> {
    input.parse().map_err(|error| syn::Error::new(error.span(), format!("not a value ({error}); write one, or `key = value`")))
}

/// The last word of the attribute's path: `rpc` in `#[wslink::rpc]`.
pub(crate) fn name(attribute: &Attribute) -> String {
    attribute.path().segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}
