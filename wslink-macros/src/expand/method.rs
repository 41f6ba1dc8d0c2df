//! The description of a method, and the shim that calls it: takes the arguments, calls, replies.
//!
//! Names of the shim's own are invisible to the user's types and defaults (`mixed_site`), and what the
//! compiler may complain of has the span of what the user wrote.

use proc_macro2::{Delimiter, Group, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, ext::IdentExt};

use super::location;
use crate::model::{DefaultValue, Flavour, Method, Parameter};

/// What the service's description calls the item of a method: its name, in a form that no user writes.
pub(super) fn item_name(method: &Method) -> Ident {
    format_ident!("__method_{}", method.name.unraw(), span = Span::call_site())
}

/// An item of its own for each method, so that an edit of one has the compiler check one anew. Its first and
/// its last token are placed around what the user wrote: the compiler keeps places relative to the item
/// that they are in, so that lines that move do not make every method below them new.
pub(super) fn item(method: &Method) -> TokenStream {
    let Method { uri, docs, deprecated, cfg, name, parameters, timeout, require, returns, end, .. } = method;
    let docs = docs.value(&quote!(__rt::concat));
    let returns = returns.as_ref().map_or_else(|| quote!(__rt::Value), ToTokens::to_token_stream);
    let require = super::require(require.as_ref());
    let types = parameters.iter().map(|parameter| &parameter.ty);
    let timeout = timeout.as_ref().map_or_else(|| quote!(0), ToTokens::to_token_stream);
    let (text, deprecated) = (name.unraw().to_string(), deprecated.is_some());
    let location = location(uri.span());
    let parameters = parameters.iter().map(parameter);
    let shim = shim(method);
    let body = braced(
        *end,
        quote! {
            #shim
            __rt::method(
                (#uri, #text, #docs, #deprecated),
                #location,
                __rt::types!(fn(#(#types),*) -> #returns),
                &[#(#parameters),*],
                __rt::terms(#timeout, #require),
                __call,
            )
        },
    );
    let (start, stop, item) = (quote_spanned!(uri.span()=> const), quote_spanned!(*end=> ;), item_name(method));
    quote! {
        #(#cfg)*
        #start #item: __rt::MethodDescriptor = #body #stop
    }
}

/// `{ … }` that ends where `end` does.
pub(super) fn braced(end: Span, inside: TokenStream) -> Group {
    let mut group = Group::new(Delimiter::Brace, inside);
    group.set_span(end);
    group
}

fn parameter(Parameter { name, ty, default, context, .. }: &Parameter) -> TokenStream {
    match default {
        _ if context.is_some() => {
            let span = context.as_ref().map_or_else(Span::call_site, Ident::span);
            quote_spanned!(span=> __rt::context(#name, __rt::KindOf::<#ty>::KIND))
        }
        None => quote!(__rt::required(#name, __rt::KindOf::<#ty>::KIND)),
        Some(default) => {
            let text = default.text();
            quote_spanned!(default.key.span()=> __rt::optional(#name, __rt::KindOf::<#ty>::KIND, #text))
        }
    }
}

fn shim(method: &Method) -> TokenStream {
    let Method { uri, service, name, flavour, parameters, output, end, .. } = method;
    let site = Span::mixed_site();
    let (call, reply) = (Ident::new("call", site), Ident::new("reply", site));
    let values: Vec<_> = (0..parameters.len()).map(|index| Ident::new(&format!("a{index}"), site)).collect();
    let takes = parameters.iter().enumerate().map(|(index, parameter)| take(index, parameter));
    let taken = (!parameters.is_empty()).then(|| quote_spanned!(site=> let (#(#values,)*) = (#(#takes,)*);));

    let result = quote_spanned!(site=> <#service>::#name(&this, #(#values),*));
    let (used, outcome) = if *flavour == Flavour::Stream {
        // A stream that is none is wrong at the type that the user wrote.
        let events = Ident::new("__events", *output);
        let streamed = quote_spanned!(*output=> __rt::streamed(#events));
        (quote_spanned!(site=> let (this, _) = call.shared::<#service>(); let #events = #result;), streamed)
    } else {
        let waits = matches!(flavour, Flavour::Async | Flavour::Detached);
        let result = if waits { quote!(#result.await) } else { result };
        let sent = quote_spanned!(*output=> __rt::Returned(#result).send(&#reply));
        let outcome = match flavour {
            Flavour::Sync | Flavour::Stream => quote!(__rt::done(#sent)),
            Flavour::Detached => quote_spanned!(name.span()=> __rt::Handlers::<#service>::detached(async move { #sent })),
            Flavour::Async => quote_spanned!(name.span()=> __rt::Handlers::<#service>::asynchronous(async move { #sent })),
            Flavour::Blocking => quote_spanned!(name.span()=> __rt::Handlers::<#service>::blocking(move || #sent)),
        };
        let used = match flavour {
            Flavour::Sync => quote_spanned!(site=> (call.service::<#service>(), call.reply())),
            _ => quote_spanned!(site=> call.shared::<#service>()),
        };
        (quote_spanned!(site=> let (this, #reply) = #used;), outcome)
    };
    let start = quote_spanned!(uri.span()=> fn);
    let body = braced(*end, quote!(#taken #used #outcome));
    quote!(#start __call(#call: &mut __rt::Call<'_>) -> __rt::Called #body)
}

fn take(index: usize, Parameter { ty, default, .. }: &Parameter) -> TokenStream {
    let index = Literal::usize_unsuffixed(index);
    let site = Span::mixed_site();
    match default {
        None => quote_spanned!(site=> call.take::<#ty>(#index)?),
        Some(DefaultValue { value: Some(value), .. }) => quote_spanned!(site=> call.take_or::<#ty>(#index, || #value)?),
        Some(DefaultValue { key, value: None }) => {
            let value = quote_spanned!(key.span()=> __rt::Default::default());
            quote_spanned!(site=> call.take_or::<#ty>(#index, || #value)?)
        }
    }
}
