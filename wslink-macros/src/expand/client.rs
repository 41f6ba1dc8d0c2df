//! The typed client of `#[service(client)]`: a method for each method and topic, over one session.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Type, spanned::Spanned};

use super::block::payload;
use crate::{
    mistakes::Mistakes,
    model::{Call, Client, Method, Parameter, Runtime, Service, Settings, Subscription, Topic},
};

/// Tuples of arguments are no longer than this.
const LONGEST_TUPLE: usize = 12;

pub(super) fn client(service: &Service, flag: &Ident, settings: &Settings, mistakes: &mut Mistakes) -> TokenStream {
    let rt = settings.runtime.private(flag.span());
    let Client { name, calls, subscriptions } = Client::check(service, flag, mistakes);
    let (cfg, docs) = (&service.cfg, format!("Calls a `{}` that is on a server.\n\n{}", service.name, service.docs));
    let docs = docs.trim_end();
    let methods = calls.iter().map(|one| call(one, &rt));
    let topics = subscriptions.iter().map(|one| subscribe(one, &service.ty, &settings.runtime));
    let filters = service.topics.iter().filter_map(|topic| topic.stream.as_ref());
    let arguments =
        calls.iter().map(|call| call.method).chain(filters).flat_map(|method| of_arguments(method, &settings.runtime));
    let results = calls.iter().filter_map(|call| of_result(call, &settings.runtime));
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

            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                #[allow(unused_imports)]
                use #rt::{self as __rt, Guessed as _, Plain as _};

                #[allow(missing_docs, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic)]
                impl #name { #(#methods)* #(#topics)* }

                #(#arguments)*
                #(#results)*
            };
        }
    }
}

fn call(Call { method, arguments, value, .. }: &Call<'_>, rt: &TokenStream) -> TokenStream {
    let Method { uri, docs, cfg, deprecated, name, output, .. } = method;
    let (parameters, optional) = taken(arguments, rt);
    let sent = match &arguments[..] {
        [rest] if rest.is_rest() => {
            let binding = &rest.binding;
            quote!(#binding)
        }
        all if all.len() > LONGEST_TUPLE || all.iter().any(|parameter| parameter.default.is_some()) => by_name(all, rt),
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
        pub fn #name(&self, #parameters) -> #rt::ClientCall<#value> { #optional #sent }
    }
}

/// The parameters of a client's method, and what makes options of those that may be left out.
fn taken(arguments: &[&Parameter], rt: &TokenStream) -> (TokenStream, TokenStream) {
    let parameters = arguments.iter().map(|Parameter { binding, ty, default, .. }| match default {
        None => quote!(#binding: #ty),
        Some(_) => quote!(#binding: impl #rt::Into<#rt::Option<#ty>>),
    });
    let optional = arguments
        .iter()
        .filter(|parameter| parameter.default.is_some())
        .map(|Parameter { binding, ty, .. }| quote!(let #binding: #rt::Option<#ty> = #binding.into();));
    (quote!(#(#parameters),*), quote!(#(#optional)*))
}

/// Arguments by name, without those that have no value.
fn by_name(arguments: &[&Parameter], rt: &TokenStream) -> TokenStream {
    let members = arguments.iter().map(|Parameter { name, binding, ty, default, .. }| match default {
        None => quote_spanned!(ty.span()=> (#name, #rt::Some(#rt::sent::<#ty>(&#binding)))),
        Some(_) => quote_spanned!(ty.span()=> (#name, #binding.as_ref().map(#rt::sent::<#ty>))),
    });
    quote!(#rt::named(#rt::Given(&[#(#members),*])))
}

fn subscribe(Subscription { name, topic, filter }: &Subscription<'_>, service: &Type, runtime: &Runtime) -> TokenStream {
    let Topic { uri, name: constant, ty, docs, cfg, deprecated, .. } = topic;
    let place = payload(ty).span();
    let rt = runtime.private(place);
    let payload = quote_spanned!(place=> <#ty as #rt::AnyTopic>::Payload);
    let (parameters, optional) = taken(filter.as_deref().unwrap_or_default(), &rt);
    let subscription = match filter {
        None => quote_spanned!(place=> #rt::subscribe::<#payload>(&self.session, <#service>::#constant)),
        Some(filter) => {
            let (delivery, filter) = (super::delivery(&topic.delivery), by_name(filter, &rt));
            let topic = quote_spanned!(place=> #rt::topic::<#ty, _>(#uri, #rt::#delivery));
            quote_spanned!(place=> #rt::subscribe::<#payload>(&self.session, #topic).filter(#filter))
        }
    };
    quote! {
        #(#cfg)*
        #deprecated
        #[doc = #docs]
        pub fn #name(&self, #parameters) -> #rt::Subscribe<#payload> { #optional #subscription }
    }
}

/// Asks the compiler whether parameters are what their types' names say.
fn of_arguments(method: &Method, runtime: &Runtime) -> Vec<TokenStream> {
    let cfg = &method.cfg;
    let assertions = method.parameters.iter().map(|parameter| {
        let (ty, place) = (&parameter.ty, parameter.ty.span());
        let rt = runtime.private(place);
        let assertion = match (parameter.is_context(), parameter.is_rest()) {
            (true, _) => quote_spanned!(place=> #rt::assert_context::<#ty>()),
            (_, true) => quote_spanned!(place=> #rt::assert_rest::<#ty>()),
            _ => quote_spanned!(place=> #rt::assert_argument(#rt::Guess::<#ty>::KIND)),
        };
        quote_spanned!(place=> #(#cfg)* const _: () = #assertion;)
    });
    assertions.collect()
}

/// Asks the compiler whether the result is what its type's name says.
fn of_result(Call { method, in_result, .. }: &Call<'_>, runtime: &Runtime) -> Option<TokenStream> {
    let (cfg, ty, place) = (&method.cfg, method.returns.as_ref()?, method.output);
    let rt = runtime.private(place);
    let is_result = quote_spanned!(place=> #rt::Returned::<#ty>::IS_RESULT);
    let assertion = if *in_result {
        quote_spanned!(place=> #rt::assert_result(#is_result))
    } else {
        quote_spanned!(place=> #rt::assert_plain(#is_result && #rt::Guess::<#ty>::RECEIVED))
    };
    Some(quote_spanned!(place=> #(#cfg)* const _: () = #assertion;))
}
