//! The rules of `#[rpc]` methods: what a call can be made of, and by which receiver.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, ExprLit, GenericParam, Ident, Lit, LitInt, LitStr, ReceiverKind, ReturnType, Safety, Signature, Type,
    parse_quote,
};

use super::{
    Docs, Parameter, Service,
    authority::authority,
    carried, cfg, deprecated,
    received::anonymous,
    result::{opaque, output, result, streams},
};
use crate::{
    mistakes::Mistakes,
    options::Options,
    parse::{self, Item},
    uri::{Uri, example},
};

/// One method that clients can call.
pub(crate) struct Method {
    pub(crate) uri: Uri,
    /// The type that has it.
    pub(crate) service: Type,
    pub(crate) docs: Docs,
    pub(crate) deprecated: Option<Attribute>,
    pub(crate) cfg: Vec<Attribute>,
    /// The lints that the user has allowed on it.
    pub(crate) allowed: Vec<TokenStream>,
    pub(crate) name: Ident,
    pub(crate) flavour: Flavour,
    pub(crate) parameters: Vec<Parameter>,
    /// In milliseconds.
    pub(crate) timeout: Option<LitInt>,
    /// What the caller must have.
    pub(crate) require: Option<LitStr>,
    /// What it returns; nothing when only the compiler knows.
    pub(crate) returns: Option<Type>,
    /// Where a complaint about that belongs.
    pub(crate) output: Span,
    /// Where the source of the method ends.
    pub(crate) end: Span,
}

/// How it runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    Sync,
    Async,
    Blocking,
    /// Asynchronous, and goes on without its client.
    Detached,
    /// Makes the stream of a subscription.
    Stream,
}

impl Method {
    pub(super) fn check(
        method: &parse::Method,
        attribute: &Attribute,
        item: &Item,
        service: &Service,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let signature = &service.itself.in_signature(&method.signature);
        let options = Options::of_item(attribute, &["blocking", "detached", "require", "timeout_ms"], mistakes);
        let uri = Uri::of(&options, &example(&service.name, &signature.ident), service.uri_style, mistakes);
        let flavour = flavour(signature, &options, mistakes);
        let timeout = timeout(&options, mistakes);
        let callable = receiver(signature, mistakes) & qualifiers(signature, mistakes) & result(signature, mistakes);
        let parameters = Parameter::all(signature, mistakes);
        let require = authority(&options, mistakes);
        let lifetimes: Vec<_> = signature.generics.lifetimes().map(|parameter| &parameter.lifetime).collect();
        let returns = match &signature.output {
            ReturnType::Default => Some(parse_quote!(())),
            ReturnType::Type(_, ty) if opaque(ty.to_token_stream()) => None,
            ReturnType::Type(_, ty) => Some(anonymous(ty, &lifetimes)),
        };
        Some(Self {
            uri: uri?,
            service: service.ty.clone(),
            docs: Docs::of(&item.attributes),
            deprecated: deprecated(&item.attributes),
            cfg: cfg(&item.attributes),
            allowed: carried(&item.attributes),
            name: signature.ident.clone(),
            flavour: flavour?,
            parameters: parameters.filter(|_| callable)?,
            returns,
            timeout,
            require,
            output: output(signature),
            end: method.end(),
        })
    }
}

fn flavour(signature: &Signature, options: &Options, mistakes: &mut Mistakes) -> Option<Flavour> {
    let (blocking, detached) = (options.flag("blocking", mistakes), options.flag("detached", mistakes));
    let (flag, text) = match (signature.asyncness, blocking, detached) {
        (None, None, None) => return Some(Flavour::Sync),
        (Some(_), None, None) => return Some(Flavour::Async),
        (None, Some(_), None) => return Some(Flavour::Blocking),
        (Some(_), None, Some(_)) => return Some(Flavour::Detached),
        (Some(_), Some(flag), _) => {
            (flag, "`blocking` on an `async fn`; write `fn` if it blocks, or remove `blocking` if it awaits")
        }
        (None, Some(_), Some(flag)) => (flag, "a blocking method goes on without its client anyway; remove `detached`"),
        (None, None, Some(flag)) => (flag, "`detached` on a method that never waits; write `async fn`, or remove `detached`"),
    };
    mistakes.add(flag, text);
    None
}

fn timeout(options: &Options, mistakes: &mut Mistakes) -> Option<LitInt> {
    let value = options.value("timeout_ms", "5000", mistakes)?;
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) if number.base10_parse().is_ok_and(|ms: u64| ms > 0) => {
            Some(number.clone())
        }
        _ => {
            mistakes.add(value, "not a number of milliseconds; write a whole number above 0, such as `timeout_ms = 5000`");
            None
        }
    }
}

pub(super) fn receiver(signature: &Signature, mistakes: &mut Mistakes) -> bool {
    let Some(receiver) = signature.receiver() else {
        mistakes.add(&signature.ident, format!("the method has no receiver; write `fn {}(&self, …)`", signature.ident));
        return false;
    };
    let text = match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => return true,
        ReceiverKind::Reference(_, _, Some(_)) => {
            "calls share the service, so none can have it as `&mut self`; write `&self`, and keep what changes in a `Mutex`"
        }
        ReceiverKind::Reference(_, Some(name), None) if name.ident != "static" => return true,
        ReceiverKind::Reference(_, Some(_), None) => "a call borrows the service for its own time only; write `&self`",
        ReceiverKind::Value => "the service outlives the call, so it cannot be taken by value; write `&self`",
        _ => "the receiver has a type of its own; write `&self`",
    };
    mistakes.add(receiver, text);
    false
}

pub(super) fn qualifiers(signature: &Signature, mistakes: &mut Mistakes) -> bool {
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
    if generics.params.iter().any(|parameter| !matches!(parameter, GenericParam::Lifetime(_))) {
        wrong(generics.params.to_token_stream(), "an RPC method cannot be generic; write concrete, owned types");
    } else if let Some(clause) = &generics.where_clause {
        wrong(quote!(#clause), "an RPC method has no `where` clause; write concrete types and remove it");
    }
    good
}

impl Method {
    /// The function that makes the stream of each subscription.
    pub(super) fn stream(
        method: &parse::Method,
        uri: Uri,
        require: Option<LitStr>,
        (item, service): (&Item, &Service),
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let signature = &service.itself.in_signature(&method.signature);
        let streams = streams(signature, mistakes);
        let callable = receiver(signature, mistakes) & qualifiers(signature, mistakes) & streams;
        let parameters = Parameter::all(signature, mistakes);
        Some(Self {
            uri,
            service: service.ty.clone(),
            docs: Docs::of(&item.attributes),
            deprecated: None,
            cfg: cfg(&item.attributes),
            allowed: carried(&item.attributes),
            name: signature.ident.clone(),
            flavour: Flavour::Stream,
            parameters: parameters.filter(|_| callable)?,
            timeout: None,
            require,
            returns: None,
            output: output(signature),
            end: method.end(),
        })
    }
}
