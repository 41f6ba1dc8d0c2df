//! The rules of an error as a whole: a struct or an enum of variants that clients can tell apart.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields};

use super::variant::Variant;
use crate::{mistakes::Mistakes, model::Runtime, options::Options};

/// A type that is known to be right.
pub(crate) struct ErrorType {
    pub(crate) ty: Ident,
    pub(crate) runtime: Runtime,
    /// Where the type says that it has a `Display` and an `Error` of its own.
    pub(crate) own_display: Option<Span>,
    pub(crate) variants: Vec<Variant>,
}

const OF_TYPE: &[&str] = &["crate", "display"];
const OF_VARIANT: &[&str] = &["code", "internal", "message", "name"];

impl ErrorType {
    /// Nothing when no part of it is fit for an error; else what is right in it.
    pub(super) fn check(input: &DeriveInput, mistakes: &mut Mistakes) -> Option<Self> {
        let generics = &input.generics;
        if !generics.params.is_empty() {
            mistakes.add(
                &generics.params,
                "an RPC error cannot be generic, because its data is part of the contract; write concrete types",
            );
            return None;
        }
        let ty = &input.ident;
        let known = match &input.data {
            Data::Struct(_) => [OF_TYPE, OF_VARIANT].concat(),
            _ => OF_TYPE.to_vec(),
        };
        let options = options(&input.attrs, &known, mistakes);
        let own_display = options.flag("display", mistakes).map(Ident::span);
        let mut error =
            Self { ty: ty.clone(), runtime: Runtime::of(&options, "rpc_error", mistakes), own_display, variants: Vec::new() };
        match &input.data {
            Data::Struct(data) => error.add((ty, quote!(Self)), &input.attrs, (&data.fields, &options), mistakes),
            Data::Enum(data) => {
                surplus(&options, mistakes);
                for variant in &data.variants {
                    let name = &variant.ident;
                    let options = self::options(&variant.attrs, OF_VARIANT, mistakes);
                    error.add((name, quote!(Self::#name)), &variant.attrs, (&variant.fields, &options), mistakes);
                }
            }
            Data::Union(data) => {
                mistakes.add(data.union_token, "an RPC error cannot be a union; write a `struct` or an `enum`");
                return None;
            }
        }
        let mut names = HashSet::new();
        for told in error.variants.iter().filter_map(|variant| variant.told.as_ref()) {
            if !names.insert(&told.name) {
                mistakes.add(&told.place, format!("another variant is called `{}` by clients; write another name", told.name));
            }
        }
        Some(error)
    }

    fn add(
        &mut self,
        name: (&Ident, TokenStream),
        attributes: &[Attribute],
        fields: (&Fields, &Options),
        mistakes: &mut Mistakes,
    ) {
        self.variants.extend(Variant::check(name, attributes, fields, self.own_display.is_some(), mistakes));
    }
}

fn surplus(options: &Options, mistakes: &mut Mistakes) {
    for surplus in options.positional() {
        mistakes.add(surplus, "`#[rpc_error]` on the type takes options only; write codes and messages on the variants");
    }
}

/// The one `#[rpc_error(…)]` of an item, which may be missing.
fn options(attributes: &[Attribute], known: &[&str], mistakes: &mut Mistakes) -> Options {
    let mut ours = attributes.iter().filter(|attribute| attribute.path().is_ident("rpc_error"));
    let Some(first) = ours.next() else { return Options::none(TokenStream::new()) };
    for surplus in ours {
        mistakes.add(surplus.path(), "a second `#[rpc_error]`; write all options in one");
    }
    Options::of(first, known, mistakes)
}
