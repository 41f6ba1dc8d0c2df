//! Requires schemas of the types of a service, for `#[service(schema)]`.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;

use crate::model::{Method, Service, Topic};

/// One question for each type, at the type.
pub(super) fn required(service: &Service, flag: &Ident) -> TokenStream {
    let methods = service.methods.iter().map(|Method { cfg, parameters, returns, output, .. }| {
        let arguments = parameters.iter().map(|parameter| {
            let ty = &parameter.ty;
            quote_spanned!(ty.span()=> __rt::Probe::<#ty>::OF.require_argument();)
        });
        let result = returns.as_ref().map(|ty| quote_spanned!(*output=> __rt::Probe::<#ty>::OF.ok().require_result();));
        quote_spanned!(flag.span()=> #(#cfg)* { #(#arguments)* #result })
    });
    let topics = service.topics.iter().map(|Topic { cfg, ty, .. }| {
        let question = quote_spanned!(super::block::payload(ty).span()=> __rt::Probe::<#ty>::OF.payload().require_result(););
        quote_spanned!(flag.span()=> #(#cfg)* { #question })
    });
    quote_spanned!(flag.span()=> __rt::require_schemas! { #(#methods)* #(#topics)* })
}
