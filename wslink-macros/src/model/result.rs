//! The rules of what a method or a topic's function returns: a value that is there when it returns, or a stream
//! that owns what it yields.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{GenericArgument, Ident, PathArguments, ReturnType, Signature, Type, TypeParamBound, spanned::Spanned};

use super::{parameter::borrowed, ungrouped};
use crate::mistakes::Mistakes;

/// Where a complaint about the result belongs.
pub(super) fn output(signature: &Signature) -> Span {
    match &signature.output {
        ReturnType::Default => signature.ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    }
}

/// Whether there is an `impl Trait` anywhere in it.
pub(super) fn opaque(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Group(group) => opaque(group.stream()),
        _ => false,
    })
}

/// Whether a call can be answered with it.
pub(super) fn result(signature: &Signature, mistakes: &mut Mistakes) -> bool {
    let ReturnType::Type(_, ty) = &signature.output else { return true };
    let text = match promised(ty) {
        Some("Future") => "a method cannot return a future; write `async fn` and the type that it resolves to",
        Some("Stream") => "a method returns once, not a stream; write `#[topic(\"…\")]` for a stream of events",
        Some(_) => "an iterator cannot be sent; collect it, and write `Vec<T>`",
        None => return true,
    };
    mistakes.add(ty, text);
    false
}

/// What the type gives later or bit by bit instead of now: `Future`, `Stream` or `Iterator`, plain or boxed.
fn promised(ty: &Type) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 7] = [
        ("Future", "Future"),
        ("BoxFuture", "Future"),
        ("LocalBoxFuture", "Future"),
        ("Stream", "Stream"),
        ("BoxStream", "Stream"),
        ("LocalBoxStream", "Stream"),
        ("Iterator", "Iterator"),
    ];
    let known = |name: &Ident| KNOWN.iter().find(|(known, _)| name == known).map(|(_, kind)| *kind);
    let bounds = match ungrouped(ty) {
        Type::ImplTrait(ty) => &ty.bounds,
        Type::TraitObject(ty) => &ty.bounds,
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            return match &last.arguments {
                PathArguments::AngleBracketed(arguments) if matches!(last.ident.to_string().as_str(), "Pin" | "Box") => {
                    arguments.args.iter().find_map(|argument| match argument {
                        GenericArgument::Type(ty) => promised(ty),
                        _ => None,
                    })
                }
                PathArguments::AngleBracketed(_) => known(&last.ident).filter(|_| last.ident.to_string().contains("Box")),
                _ => None,
            };
        }
        _ => return None,
    };
    bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().and_then(|segment| known(&segment.ident)),
        _ => None,
    })
}

/// Whether a subscription can be fed by it.
pub(super) fn streams(signature: &Signature, mistakes: &mut Mistakes) -> bool {
    if let Some(word) = &signature.asyncness {
        mistakes.add(word, "a topic's function returns its stream at once; write `fn`, and wait inside the stream");
        return false;
    }
    let ReturnType::Type(_, ty) = &signature.output else {
        let text = "the function of a topic returns its events; write `-> impl Stream<Item = T> + Send + 'static`";
        mistakes.add(&signature.ident, text);
        return false;
    };
    if let Some(place) = borrowed(ty) {
        mistakes.add(place, "a stream outlives the call that makes it; let it own its data, and write `'static`");
        return false;
    }
    if let Type::ImplTrait(opaque) = ungrouped(ty)
        && !opaque.bounds.iter().any(owns)
    {
        mistakes.add(ty, "a stream outlives the call that makes it; write `+ 'static`, and let it own its data");
        return false;
    }
    true
}

/// `'static`, or `use<>`, which captures nothing.
fn owns(bound: &TypeParamBound) -> bool {
    match bound {
        TypeParamBound::Lifetime(lifetime) => lifetime.ident == "static",
        TypeParamBound::PreciseCapture(_) => true,
        _ => false,
    }
}
