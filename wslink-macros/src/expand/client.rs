//! The typed client of `#[service(client)]`: a method for each method and topic, over one session.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Type, spanned::Spanned};

use super::block::payload;
use crate::{
    mistakes::Mistakes,
    model::{Call, Client, Method, Parameter, Runtime, Service, Settings, Topic},
};

/// Tuples of arguments are no longer than this.
const LONGEST_TUPLE: usize = 12;

pub(super) fn client(service: &Service, flag: &Ident, settings: &Settings, mistakes: &mut Mistakes) -> TokenStream {
    let rt = settings.runtime.private(flag.span());
    let Client { name, calls, topics } = Client::check(service, flag, mistakes);
    let (cfg, docs) = (&service.cfg, format!("Calls a [`{}`] that is on a server.\n\n{}", service.name, service.docs));
    let methods = calls.iter().map(|one| call(one, &rt));
    let topics = topics.iter().map(|(name, topic)| subscribe(name, topic, &service.ty, &settings.runtime));
    let guesses = calls.iter().flat_map(|call| guesses(call, &settings.runtime));
    quote_spanned! {flag.span()=>
        #(#cfg)*
        #rt::client! {
            #[doc = #docs]
            #[derive(#rt::Clone, #rt::Debug)]
            #[allow(unreachable_pub)]
            pub struct #name { session: #rt::Session }

            #[automatically_derived]
            impl #rt::From<#rt::Session> for #name {
                fn from(session: #rt::Session) -> Self { Self { session } }
            }

            #[allow(deprecated, missing_docs, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic)]
            impl #name { #(#methods)* #(#topics)* }

            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                #[allow(unused_imports)]
                use #rt::{Guessed as _, Plain as _};
                #(#guesses)*
            };
        }
    }
}

fn call(Call { method, arguments, value, .. }: &Call<'_>, rt: &TokenStream) -> TokenStream {
    let Method { uri, docs, cfg, deprecated, name, output, .. } = method;
    let parameters = arguments.iter().map(|Parameter { binding, ty, default, .. }| match default {
        None => quote!(#binding: #ty),
        Some(_) => quote!(#binding: impl #rt::Into<#rt::Option<#ty>>),
    });
    let optional = arguments
        .iter()
        .filter(|parameter| parameter.default.is_some())
        .map(|Parameter { binding, ty, .. }| quote!(let #binding: #rt::Option<#ty> = #binding.into();));
    let sent = match &arguments[..] {
        [rest] if rest.is_rest() => {
            let binding = &rest.binding;
            quote!(#binding)
        }
        all if all.len() > LONGEST_TUPLE || all.iter().any(|parameter| parameter.default.is_some()) => {
            let members = all.iter().map(|parameter| named(parameter, rt));
            quote!(#rt::named(#rt::Given(&[#(#members),*])))
        }
        all => {
            let values = all.iter().map(|Parameter { binding, ty, .. }| quote_spanned!(ty.span()=> #rt::sent::<#ty>(&#binding)));
            quote!((#(#values,)*))
        }
    };
    let sent = quote_spanned!(*output=> #rt::call::<#value>(&self.session, #uri, #sent));
    quote! {
        #(#cfg)*
        #deprecated
        #[doc = #docs]
        pub fn #name(&self, #(#parameters),*) -> #rt::ClientCall<#value> { #(#optional)* #sent }
    }
}

/// `("quality", …)`, left out when there is no value.
fn named(Parameter { name, binding, ty, default, .. }: &Parameter, rt: &TokenStream) -> TokenStream {
    match default {
        None => quote_spanned!(ty.span()=> (#name, #rt::Some(#rt::sent::<#ty>(&#binding)))),
        Some(_) => quote_spanned!(ty.span()=> (#name, #binding.as_ref().map(#rt::sent::<#ty>))),
    }
}

fn subscribe(name: &Ident, topic: &Topic, service: &Type, runtime: &Runtime) -> TokenStream {
    let Topic { name: constant, ty, docs, cfg, deprecated, .. } = topic;
    let place = payload(ty).span();
    let rt = runtime.private(place);
    let payload = quote_spanned!(place=> <#ty as #rt::AnyTopic>::Payload);
    let subscription = quote_spanned!(place=> #rt::subscribe::<#payload>(&self.session, <#service>::#constant));
    quote! {
        #(#cfg)*
        #deprecated
        #[doc = #docs]
        pub fn #name(&self) -> #rt::Subscribe<#payload> { #subscription }
    }
}

/// Asks the compiler whether types are what their names say.
fn guesses(Call { method, in_result, .. }: &Call<'_>, runtime: &Runtime) -> Vec<TokenStream> {
    let cfg = &method.cfg;
    let parameters = method.parameters.iter().map(|parameter| {
        let (ty, place) = (&parameter.ty, parameter.ty.span());
        let rt = runtime.private(place);
        let assertion = match (parameter.is_context(), parameter.is_rest()) {
            (true, _) => quote_spanned!(place=> #rt::assert_context::<#ty>()),
            (_, true) => quote_spanned!(place=> #rt::assert_rest::<#ty>()),
            _ => quote_spanned!(place=> #rt::assert_argument(#rt::Guess::<#ty>::KIND)),
        };
        quote_spanned!(place=> #(#cfg)* const _: () = #assertion;)
    });
    let returns = method.returns.iter().map(|ty| {
        let rt = runtime.private(method.output);
        let is_result = quote_spanned!(method.output=> #rt::Returned::<#ty>::IS_RESULT);
        let assertion = if *in_result {
            quote_spanned!(method.output=> #rt::assert_result(#is_result))
        } else {
            quote_spanned!(method.output=> #rt::assert_plain(#is_result && #rt::Guess::<#ty>::RECEIVED))
        };
        quote_spanned!(method.output=> #(#cfg)* const _: () = #assertion;)
    });
    parameters.chain(returns).collect()
}
