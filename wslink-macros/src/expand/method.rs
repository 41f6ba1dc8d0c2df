//! The description of a method, and the shim that calls it: takes the arguments, calls, replies.
//!
//! Names of the shim's own are invisible to the user's types and defaults (`mixed_site`), and what the
//! compiler may complain of has the span of what the user wrote.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, ext::IdentExt};

use super::location;
use crate::model::{DefaultValue, Flavour, Method, Parameter};

pub(super) fn descriptor(method: &Method) -> TokenStream {
    let Method { uri, docs, deprecated, cfg, name, parameters, timeout, require, returns, .. } = method;
    let returns = returns.as_ref().map_or_else(|| quote!(__rt::Value), ToTokens::to_token_stream);
    let require = super::require(require.as_ref());
    let types = parameters.iter().map(|parameter| &parameter.ty);
    let timeout = timeout.as_ref().map_or_else(|| quote!(0), ToTokens::to_token_stream);
    let (name, deprecated) = (name.unraw().to_string(), deprecated.is_some());
    let location = location(uri.span());
    let parameters = parameters.iter().map(parameter);
    let shim = shim(method);
    quote! {
        #(#cfg)*
        __rt::MethodDescriptor {
            uri: #uri,
            name: #name,
            docs: #docs,
            deprecated: #deprecated,
            types: __rt::types!(fn(#(#types),*) -> #returns),
            location: #location,
            parameters: &[#(#parameters),*],
            terms: __rt::terms(#timeout, #require),
            call: #shim,
        }
    }
}

fn parameter(Parameter { name, ty, default, context, .. }: &Parameter) -> TokenStream {
    match default {
        _ if context.is_some() => {
            let span = context.as_ref().map_or_else(Span::call_site, Ident::span);
            quote_spanned!(span=> __rt::context::<#ty>(#name))
        }
        None => quote!(__rt::required::<#ty>(#name)),
        Some(default) => {
            let text = default.text();
            quote_spanned!(default.key.span()=> __rt::optional::<#ty>(#name, #text))
        }
    }
}

fn shim(method: &Method) -> TokenStream {
    let Method { name, flavour, parameters, output, .. } = method;
    let site = Span::mixed_site();
    let reply = Ident::new("reply", site);
    let values: Vec<_> = (0..parameters.len()).map(|index| Ident::new(&format!("a{index}"), site)).collect();
    let takes = parameters.iter().enumerate().map(|(index, parameter)| take(index, parameter));
    let taken = (!parameters.is_empty()).then(|| quote_spanned!(site=> let (#(#values,)*) = (#(#takes,)*);));

    let call = quote_spanned!(site=> Self::#name(&this, #(#values),*));
    if *flavour == Flavour::Stream {
        let events = quote_spanned!(*output=> __rt::Streamed(#call).events());
        return quote_spanned! {site=>
            |call| {
                #taken
                let (this, _) = call.shared::<Self>();
                #events
            }
        };
    }
    let waits = matches!(flavour, Flavour::Async | Flavour::Detached);
    let result = if waits { quote!(#call.await) } else { call };
    let sent = quote_spanned!(*output=> __rt::Returned(#result).send(&#reply));
    let outcome = match flavour {
        Flavour::Sync | Flavour::Stream => quote!(__rt::done(#sent)),
        Flavour::Detached => quote_spanned!(name.span()=> __rt::detached(async move { #sent })),
        Flavour::Async => quote_spanned!(name.span()=> __rt::future(async move { #sent })),
        Flavour::Blocking => quote_spanned!(name.span()=> __rt::blocking(move || #sent)),
    };
    let used = match flavour {
        Flavour::Sync => quote_spanned!(site=> (call.service::<Self>(), call.reply())),
        _ => quote_spanned!(site=> call.shared::<Self>()),
    };
    quote_spanned! {site=>
        |call| {
            #taken
            let (this, #reply) = #used;
            #outcome
        }
    }
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
