//! The user's block, without our attributes. Comes out of every expansion, however wrong the block is.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{AngleBracketedGenericArguments, Attribute, GenericArgument, Ident, ImplItem, PathArguments, Type, spanned::Spanned};

use super::{IN_SERVICE, delivery};
use crate::{
    model::{Delivery, Runtime, Topic},
    options::name,
    parse::{Block, Constant, Item, Kind},
};

/// The block without our attributes; topics get their values.
pub(super) fn stripped(block: &Block, topics: &[Topic], runtime: &Runtime) -> TokenStream {
    let mut stripped = block.head.clone();
    let items = block.items.iter().enumerate().filter_map(|(index, Item { ours, attributes, kind, .. })| {
        let item = match kind {
            // Arguments are owned and the receiver is there because they must be, not by the user's choice.
            Kind::Method(method) if !ours.is_empty() => {
                let method = method.stripped();
                quote!(#[allow(clippy::needless_pass_by_value, clippy::unused_self)] #method)
            }
            Kind::Broken => return None,
            Kind::Method(method) => method.to_token_stream(),
            // A value of the user's own is a mistake, and what is wrong in it is none beside that.
            Kind::Constant(constant) if is_topic(ours) => {
                topic(constant, topics.iter().find(|topic| topic.index == index), runtime)
            }
            Kind::Constant(constant) => constant.to_token_stream(),
            Kind::Unreadable(tokens) | Kind::Unknown(tokens) | Kind::Static(tokens) | Kind::Other(tokens) => tokens.clone(),
        };
        Some(ImplItem::Verbatim(quote!(#(#attributes)* #item)))
    });
    stripped.items = items.collect();
    stripped.into_token_stream()
}

fn is_topic(ours: &[Attribute]) -> bool {
    ours.first().is_some_and(|attribute| name(attribute) == "topic")
}

/// A topic that is wrong gets a value too, so that its users are not told of it a second time.
fn topic(constant: &Constant, topic: Option<&Topic>, runtime: &Runtime) -> TokenStream {
    let Constant { visibility, name, ty, .. } = constant;
    let uri = topic.map_or_else(|| quote!(""), |topic| topic.uri.to_token_stream());
    let delivery = delivery(topic.map_or(&Delivery::Reliable, |topic| &topic.delivery));
    let span = payload(ty).span();
    if runtime.is_missing() {
        return quote!(#visibility const #name: #ty = ::core::panic!(););
    }
    // One place for all of it, and by an import as elsewhere, so that the compiler complains of it once.
    let (private, rt) = (runtime.private(span), quote_spanned!(span=> __rt));
    let retain = topic.is_some_and(|topic| topic.retain).then(|| quote!(.retaining()));
    let require = topic.and_then(|topic| topic.require.as_ref()).map(|authority| quote!(.requiring(#authority)));
    let keyed = topic.and_then(|topic| match &topic.delivery {
        Delivery::LatestOf(field) => Some(quote_spanned!(field.span()=> .keyed(|payload| #rt::key(&payload.#field)))),
        _ => None,
    });
    let value =
        quote_spanned!(span=> { use #private as #rt; #rt::topic::<#ty, _>(#uri, #rt::#delivery) #retain #require #keyed });
    quote!(#visibility const #name: #ty = #value;)
}

/// Where a complaint about the payload belongs: `T` in `Topic<T>`, or the type when it is an alias.
pub(super) fn payload(ty: &Type) -> &Type {
    let Type::Path(path) = ty else { return ty };
    let arguments = path.path.segments.last().map(|segment| &segment.arguments);
    match arguments {
        Some(PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. })) => match args.last() {
            Some(GenericArgument::Type(payload)) => payload,
            _ => ty,
        },
        _ => ty,
    }
}

/// Our attributes once more, on nothing, so that an import of theirs is no unused import. Without an
/// import they are those of the runtime; of two globs that lead to one macro, none is ambiguous.
pub(super) fn uses(block: &Block, runtime: &Runtime) -> Option<TokenStream> {
    let paths = block.items.iter().flat_map(|item| &item.ours).map(Attribute::path);
    let mut paths: Vec<TokenStream> = paths.map(ToTokens::to_token_stream).collect();
    paths.sort_by_key(TokenStream::to_string);
    paths.dedup_by_key(|path| path.to_string());
    let private = runtime.private(Span::call_site());
    let inside = Ident::new(IN_SERVICE, Span::call_site());
    (!paths.is_empty()).then(|| {
        quote! {
            const _: () = {
                use self::*;
                use #private::attributes::*;
                #(#[#paths(#inside)] const _: () = ();)*
            };
        }
    })
}
