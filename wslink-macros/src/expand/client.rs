//! The typed client of `#[service(client)]`: a method for each method and topic, over one session.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Type, spanned::Spanned};

use super::{block::payload, method::braced};
use crate::{
    mistakes::Mistakes,
    model::{Call, Client, Method, Parameter, Service, Settings, Subscription, Topic},
};

/// Tuples of arguments are no longer than this.
const LONGEST_TUPLE: usize = 12;

pub(super) fn client(service: &Service, flag: &Ident, settings: &Settings, mistakes: &mut Mistakes) -> TokenStream {
    let rt = settings.runtime.private(flag.span());
    let Client { name, calls, subscriptions } = Client::check(service, flag, mistakes);
    let Service { cfg, allowed, docs, .. } = service;
    let module = format_ident!("__{name}");
    let (title, concat) = (format!("Calls a `{}` that is on a server.", service.name), quote!(#rt::concat));
    let docs = match docs.text() {
        Some("") => quote!(#[doc = #title]),
        _ => {
            let docs = docs.value(&concat);
            quote!(#[doc = #title] #[doc = ""] #[doc = #docs])
        }
    };
    let methods = calls.iter().map(call);
    let topics = subscriptions.iter().map(|one| subscribe(one, &service.ty));
    let filters = service.topics.iter().filter_map(|topic| topic.stream.as_ref());
    let arguments = calls.iter().map(|call| call.method).chain(filters).flat_map(of_arguments);
    let results = calls.iter().filter_map(of_result);
    quote_spanned! {flag.span()=>
        #(#cfg)*
        #rt::client! {
            #docs
            #module #name
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                #[allow(unused_imports)]
                use #rt::{self as __rt, Guessed as _, Plain as _};

                #(#allowed)*
                #[allow(missing_docs, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic)]
                impl #module::#name { #(#methods)* #(#topics)* }

                #(#arguments)*
                #(#results)*
            };
        }
    }
}

fn call(Call { method, arguments, value, .. }: &Call<'_>) -> TokenStream {
    let Method { uri, docs, cfg, allowed, deprecated, name, output, end, .. } = method;
    let docs = docs.value(&quote!(__rt::concat));
    let (parameters, optional) = taken(arguments);
    let sent = match &arguments[..] {
        [rest] if rest.is_rest() => {
            let binding = &rest.binding;
            quote!(#binding)
        }
        all if all.len() > LONGEST_TUPLE || all.iter().any(|parameter| parameter.default.is_some()) => by_name(all),
        all => {
            let values = all.iter().map(|Parameter { binding, ty, .. }| quote_spanned!(ty.span()=> __rt::sent::<#ty>(&#binding)));
            quote!((#(#values,)*))
        }
    };
    let sent = quote_spanned!(*output=> __rt::call::<#value>(__rt::HasSession::session(self), #uri, #sent));
    // Around what the user wrote, as the items of the service are.
    let (start, body) = (quote_spanned!(uri.span()=> pub), braced(*end, quote!(#optional #sent)));
    quote! {
        #(#cfg)*
        #(#allowed)*
        #deprecated
        #[doc = #docs]
        #start fn #name(&self, #parameters) -> __rt::ClientCall<#value> #body
    }
}

/// The parameters of a client's method, and what makes options of those that may be left out.
fn taken(arguments: &[&Parameter]) -> (TokenStream, TokenStream) {
    let parameters = arguments.iter().map(|Parameter { binding, ty, allowed, default, .. }| match default {
        None => quote!(#(#allowed)* #binding: #ty),
        Some(_) => quote!(#(#allowed)* #binding: impl __rt::Into<__rt::Option<#ty>>),
    });
    let optional = arguments
        .iter()
        .filter(|parameter| parameter.default.is_some())
        .map(|Parameter { binding, ty, .. }| quote!(let #binding: __rt::Option<#ty> = #binding.into();));
    (quote!(#(#parameters),*), quote!(#(#optional)*))
}

/// Arguments by name, without those that have no value.
fn by_name(arguments: &[&Parameter]) -> TokenStream {
    let members = arguments.iter().map(|Parameter { name, binding, ty, default, .. }| match default {
        None => quote_spanned!(ty.span()=> (#name, __rt::Some(__rt::sent::<#ty>(&#binding)))),
        Some(_) => quote_spanned!(ty.span()=> (#name, #binding.as_ref().map(__rt::sent::<#ty>))),
    });
    quote!(__rt::named(__rt::Given(&[#(#members),*])))
}

fn subscribe(Subscription { name, topic, filter }: &Subscription<'_>, service: &Type) -> TokenStream {
    let Topic { uri, name: constant, ty, docs, cfg, allowed, deprecated, .. } = topic;
    let docs = docs.value(&quote!(__rt::concat));
    let place = payload(ty).span();
    let payload = quote_spanned!(place=> <#ty as __rt::AnyTopic>::Payload);
    let (parameters, optional) = taken(filter.as_deref().unwrap_or_default());
    let session = quote_spanned!(place=> __rt::HasSession::session(self));
    let subscription = match filter {
        None => quote_spanned!(place=> __rt::subscribe::<#payload>(#session, <#service>::#constant)),
        Some(filter) => {
            let (delivery, filter) = (super::delivery(&topic.delivery), by_name(filter));
            let topic = quote_spanned!(place=> __rt::topic::<#ty, _>(#uri, __rt::#delivery));
            quote_spanned!(place=> __rt::subscribe::<#payload>(#session, #topic).filter(#filter))
        }
    };
    quote! {
        #(#cfg)*
        #(#allowed)*
        #deprecated
        #[doc = #docs]
        pub fn #name(&self, #parameters) -> __rt::Subscribe<#payload> { #optional #subscription }
    }
}

/// Asks the compiler whether parameters are what their types' names say.
fn of_arguments(method: &Method) -> Vec<TokenStream> {
    let cfg = &method.cfg;
    let assertions = method.parameters.iter().map(|parameter| {
        let (ty, place) = (&parameter.ty, parameter.ty.span());
        let assertion = match (parameter.is_context(), parameter.is_rest()) {
            (true, _) => quote_spanned!(place=> __rt::assert_context::<#ty>()),
            (_, true) => quote_spanned!(place=> __rt::assert_rest::<#ty>()),
            _ => quote_spanned!(place=> __rt::assert_argument(__rt::Guess::<#ty>::KIND)),
        };
        quote_spanned!(place=> #(#cfg)* const _: () = #assertion;)
    });
    assertions.collect()
}

/// Asks the compiler whether the result is what its type's name says.
fn of_result(Call { method, value, in_result, .. }: &Call<'_>) -> Option<TokenStream> {
    let (cfg, ty, place) = (&method.cfg, method.returns.as_ref()?, method.output);
    let is_result = quote_spanned!(place=> __rt::Returned::<#ty>::IS_RESULT);
    let assertion = if *in_result {
        quote_spanned!(place=> __rt::assert_result(#is_result))
    } else {
        quote_spanned!(place=> __rt::assert_plain(#is_result && __rt::Guess::<#value>::RECEIVED))
    };
    Some(quote_spanned!(place=> #(#cfg)* const _: () = #assertion;))
}
