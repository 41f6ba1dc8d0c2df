//! The rules of `#[rpc]` methods: what a call can be made of, and by which receiver.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, ExprLit, Ident, Lit, LitInt, LitStr, ReceiverKind, ReturnType, Safety, Signature, Type, TypeParamBound,
    parse_quote, spanned::Spanned,
};

use super::{Parameter, authority::authority, cfg, deprecated, docs};
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
    pub(crate) deprecated: Option<Attribute>,
    pub(crate) cfg: Vec<Attribute>,
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
        service: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let signature = &method.signature;
        let options = Options::of(attribute, &["blocking", "detached", "require", "timeout_ms"], mistakes);
        let uri = Uri::of(&options, &example(service, &signature.ident), mistakes);
        let flavour = flavour(signature, &options, mistakes);
        let timeout = timeout(&options, mistakes);
        let callable = receiver(signature, mistakes) & qualifiers(signature, mistakes) & result(signature, mistakes);
        let parameters = Parameter::all(signature, mistakes);
        Some(Self {
            uri: uri?,
            docs: docs(&item.attributes),
            deprecated: deprecated(&item.attributes),
            cfg: cfg(&item.attributes),
            name: signature.ident.clone(),
            flavour: flavour?,
            parameters: parameters.filter(|_| callable)?,
            returns: match &signature.output {
                ReturnType::Default => Some(parse_quote!(())),
                ReturnType::Type(_, ty) => Some((**ty).clone()).filter(|ty| !opaque(ty.to_token_stream())),
            },
            timeout,
            require: authority(&options, mistakes),
            output: match &signature.output {
                ReturnType::Default => signature.ident.span(),
                ReturnType::Type(_, ty) => ty.span(),
            },
        })
    }
}

/// Whether there is an `impl Trait` anywhere in it.
fn opaque(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Group(group) => opaque(group.stream()),
        _ => false,
    })
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
    let text = if names(&ty.bounds, "Future") {
        "a method cannot return a future; write `async fn` and the type that it resolves to"
    } else if names(&ty.bounds, "Stream") {
        "a method returns once, not a stream; write `#[topic(\"…\")]` for a stream of events"
    } else {
        return true;
    };
    mistakes.add(ty, text);
    false
}

fn names<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>, name: &str) -> bool {
    bounds.into_iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|segment| segment.ident == name),
        _ => false,
    })
}

impl Method {
    /// The function that makes the stream of each subscription to a topic.
    pub(super) fn stream(
        method: &parse::Method,
        uri: Uri,
        require: Option<LitStr>,
        item: &Item,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let signature = &method.signature;
        let streams = streams(signature, mistakes);
        let callable = receiver(signature, mistakes) & qualifiers(signature, mistakes) & streams;
        let parameters = Parameter::all(signature, mistakes);
        Some(Self {
            uri,
            docs: docs(&item.attributes),
            deprecated: None,
            cfg: Vec::new(),
            name: signature.ident.clone(),
            flavour: Flavour::Stream,
            parameters: parameters.filter(|_| callable)?,
            timeout: None,
            require,
            returns: None,
            output: match &signature.output {
                ReturnType::Default => signature.ident.span(),
                ReturnType::Type(_, ty) => ty.span(),
            },
        })
    }
}

fn streams(signature: &Signature, mistakes: &mut Mistakes) -> bool {
    if let Some(word) = &signature.asyncness {
        mistakes.add(word, "a topic's function returns its stream at once; write `fn`, and wait inside the stream");
        return false;
    }
    if let ReturnType::Default = signature.output {
        let text = "the function of a topic returns its events; write `-> impl Stream<Item = T> + Send + 'static`";
        mistakes.add(&signature.ident, text);
        return false;
    }
    true
}
