//! From the model to code: the block itself, its description, and its registration.
//!
//! Glue only: what the code does is in the runtime, and what may be written is in the model.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{LitStr, spanned::Spanned};

use crate::{
    mistakes::Mistakes,
    model::{Delivery, Service, Settings, Topic},
    parse::Block,
};

mod block;
mod client;
mod method;
mod schemas;

/// The option that tells `#[rpc]` and `#[topic]` that a `#[service]` has seen to them.
const IN_SERVICE: &str = "__in_service";

/// The expansion of `#[service(options)] item`.
pub(crate) fn service(options: TokenStream, item: &TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let settings = Settings::check(options, &mut mistakes);
    let runtime = &settings.runtime;
    let Some(block) = Block::parse(item) else {
        let start = item.clone().into_iter().take(2).collect::<TokenStream>();
        mistakes.add(start, "`#[service]` belongs on an `impl` block; write it above `impl YourType { … }`");
        return quote!(#item #mistakes);
    };
    let service = Service::check(&block, &mut mistakes);
    let topics = service.as_ref().map_or(&[][..], |service| &service.topics);
    let stripped = block::stripped(&block, topics, runtime);
    let description = service.as_ref().map(|service| description(service, &settings));
    let client = settings.client.as_ref().zip(service.as_ref());
    let client = client.map(|(flag, service)| client::client(service, flag, &settings, &mut mistakes));
    let uses = block::uses(&block, runtime);
    quote!(#stripped #description #client #uses #mistakes)
}

/// The expansion of `#[rpc]` or `#[topic]`, which `#[service]` takes away from what is its own.
pub(crate) fn alone(text: &str, options: &TokenStream, item: TokenStream) -> TokenStream {
    if options.to_string() == IN_SERVICE {
        return item;
    }
    let error = syn::Error::new(Span::call_site(), text).into_compile_error();
    quote!(#item #error)
}

fn description(service: &Service, settings: &Settings) -> TokenStream {
    let Service { ty, name, docs, cfg, methods, topics } = service;
    let private = settings.runtime.private(Span::call_site());
    let location = location(ty.span());
    let schemas = settings.schema.as_ref().map(|flag| schemas::required(service, flag));
    let ordered = settings.ordered;
    let methods = methods.iter().map(method::descriptor);
    let topics = topics.iter().map(topic);
    let constant = quote! {
        const DESCRIPTOR: &'static __rt::ServiceDescriptor = &__rt::ServiceDescriptor {
            name: #name,
            docs: #docs,
            type_id: __rt::type_id::<Self>,
            location: #location,
            package: __rt::env!("CARGO_PKG_NAME"),
            version: __rt::env!("CARGO_PKG_VERSION"),
            methods: &[#(#methods),*],
            topics: &[#(#topics),*],
            ordered: #ordered,
        };
    };
    // The compiler points at the type when it has a second block, or cannot be shared.
    let implementation = quote_spanned!(ty.span()=> impl __rt::Service for #ty { #constant });
    quote! {
        #(#cfg)*
        #[allow(deprecated, unused_qualifications)]
        const _: () = {
            use #private as __rt;
            use __rt::Plain as _;
            #[automatically_derived]
            #implementation
            __rt::inventory::submit!(__rt::registration::<#ty>());
            #schemas
        };
    }
}

fn topic(topic: &Topic) -> TokenStream {
    let Topic { uri, ty, docs, deprecated, cfg, delivery, retain, require, stream, .. } = topic;
    let deprecated = deprecated.is_some();
    let stream = stream.as_ref().map(method::descriptor);
    let stream = stream.map_or_else(|| quote!(__rt::SHARED), |method| quote!(__rt::own(#method)));
    let location = location(uri.span());
    let delivery = self::delivery(delivery);
    let require = self::require(require.as_ref());
    quote! {
        #(#cfg)*
        __rt::TopicDescriptor {
            uri: #uri,
            docs: #docs,
            deprecated: #deprecated,
            location: #location,
            payload: __rt::payload!(#ty),
            delivery: __rt::#delivery,
            retain: #retain,
            require: #require,
            stream: #stream,
        }
    }
}

fn delivery(delivery: &Delivery) -> TokenStream {
    match delivery {
        Delivery::Reliable => quote!(Delivery::Reliable),
        Delivery::Latest | Delivery::LatestOf(_) => quote!(Delivery::Latest),
        Delivery::DropOldest(events) => quote!(Delivery::DropOldest(#events)),
    }
}

fn require(authority: Option<&LitStr>) -> TokenStream {
    authority.map_or_else(|| quote!(__rt::None), |authority| quote!(__rt::Some(#authority)))
}

fn location(span: Span) -> TokenStream {
    quote_spanned!(span=> __rt::here!())
}
