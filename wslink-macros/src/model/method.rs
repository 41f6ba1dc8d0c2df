//! The rules of `#[rpc]` methods: what a call can be made of, and by which receiver.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Ident, ReceiverKind, ReturnType, Safety, Signature, Type, TypeParamBound, spanned::Spanned};

use super::{Parameter, cfg, docs};
use crate::{
    mistakes::Mistakes,
    options::Options,
    parse::{self, Item},
    uri::{Uri, example},
};

/// One method that clients can call.
pub(crate) struct Method {
    pub(crate) uri: Uri,
    pub(crate) docs: String,
    pub(crate) cfg: Vec<Attribute>,
    pub(crate) name: Ident,
    pub(crate) flavour: Flavour,
    pub(crate) parameters: Vec<Parameter>,
    /// Where a complaint about the result belongs.
    pub(crate) output: Span,
}

/// How it runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    Sync,
    Async,
    Blocking,
}

impl Method {
    pub(super) fn check(
        method: &parse::Method,
        attribute: &Attribute,
        item: &Item,
        service: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let signature = &method.signature;
        let options = Options::of(attribute, &["blocking"], mistakes);
        let uri = Uri::of(&options, &example(service, &signature.ident), mistakes);
        let flavour = flavour(signature, &options, mistakes);
        let callable = receiver(signature, mistakes) & qualifiers(signature, mistakes) & result(signature, mistakes);
        let parameters = Parameter::all(signature, mistakes);
        Some(Self {
            uri: uri?,
            docs: docs(&item.attributes),
            cfg: cfg(&item.attributes),
            name: signature.ident.clone(),
            flavour: flavour?,
            parameters: parameters.filter(|_| callable)?,
            output: match &signature.output {
                ReturnType::Default => signature.ident.span(),
                ReturnType::Type(_, ty) => ty.span(),
            },
        })
    }
}

fn flavour(signature: &Signature, options: &Options, mistakes: &mut Mistakes) -> Option<Flavour> {
    match (signature.asyncness, options.flag("blocking", mistakes)) {
        (None, None) => Some(Flavour::Sync),
        (Some(_), None) => Some(Flavour::Async),
        (None, Some(_)) => Some(Flavour::Blocking),
        (Some(_), Some(flag)) => {
            mistakes.add(flag, "`blocking` on an `async fn`; write `fn` if it blocks, or remove `blocking` if it awaits");
            None
        }
    }
}

fn receiver(signature: &Signature, mistakes: &mut Mistakes) -> bool {
    let Some(receiver) = signature.receiver() else {
        mistakes.add(&signature.ident, format!("the method has no receiver; write `fn {}(&self, …)`", signature.ident));
        return false;
    };
    let text = match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => return true,
        ReceiverKind::Reference(_, _, Some(_)) => {
            "calls share the service, so none can have it as `&mut self`; write `&self`, and keep what changes in a `Mutex`"
        }
        ReceiverKind::Reference(..) if signature.generics.lifetimes().next().is_some() => return false,
        ReceiverKind::Reference(_, Some(_), None) => "the receiver has a lifetime of its own; write `&self`",
        ReceiverKind::Value => "the service outlives the call, so it cannot be taken by value; write `&self`",
        _ => "the receiver has a type of its own; write `&self`",
    };
    mistakes.add(receiver, text);
    false
}

fn qualifiers(signature: &Signature, mistakes: &mut Mistakes) -> bool {
    // Of a variadic the compiler itself complains.
    let mut good = signature.variadic.is_none();
    let mut wrong = |place: TokenStream, text: &str| {
        mistakes.add(place, text);
        good = false;
    };
    if let Safety::Unsafe(word) = &signature.safety {
        wrong(quote!(#word), "clients cannot keep the promises of an `unsafe fn`; write `fn`");
    }
    if let Some(abi) = &signature.abi {
        wrong(quote!(#abi), "an RPC method has Rust's own calling convention; remove `extern`");
    }
    let generics = &signature.generics;
    if !generics.params.is_empty() {
        wrong(generics.params.to_token_stream(), "an RPC method cannot be generic; write concrete, owned types");
    } else if let Some(clause) = &generics.where_clause {
        wrong(quote!(#clause), "an RPC method has no `where` clause; write concrete types and remove it");
    }
    good
}

fn result(signature: &Signature, mistakes: &mut Mistakes) -> bool {
    let ReturnType::Type(_, ty) = &signature.output else { return true };
    let Type::ImplTrait(ty) = super::ungrouped(ty) else { return true };
    let named = |bound: &TypeParamBound, name| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|segment| segment.ident == name),
        _ => false,
    };
    let text = if ty.bounds.iter().any(|bound| named(bound, "Future")) {
        "a method cannot return a future; write `async fn` and the type that it resolves to"
    } else if ty.bounds.iter().any(|bound| named(bound, "Stream")) {
        "a method returns once, not a stream; publish to a topic: `#[topic(\"…\")] const NAME: Topic<T>;`"
    } else {
        return true;
    };
    mistakes.add(ty, text);
    false
}
