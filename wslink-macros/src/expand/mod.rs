//! From the model to code: the block itself, its description, and its registration.
//!
//! Glue only: what the code does is in the runtime, and what may be written is in the model.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::{
    mistakes::Mistakes,
    model::{Delivery, Runtime, Service, Topic},
    parse::Block,
};

mod block;
mod method;

/// The option that tells `#[rpc]` and `#[topic]` that a `#[service]` has seen to them.
const IN_SERVICE: &str = "__in_service";

/// The expansion of `#[service(options)] item`.
pub(crate) fn service(options: TokenStream, item: &TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let runtime = Runtime::check(options, &mut mistakes);
    let Some(block) = Block::parse(item) else {
        let start = item.clone().into_iter().take(2).collect::<TokenStream>();
        mistakes.add(start, "`#[service]` belongs on an `impl` block; write it above `impl YourType { … }`");
        return quote!(#item #mistakes);
    };
    let service = Service::check(&block, &mut mistakes);
    let topics = service.as_ref().map_or(&[][..], |service| &service.topics);
    let stripped = block::stripped(&block, topics, &runtime);
    let description = service.as_ref().map(|service| description(service, &runtime));
    let uses = block::uses(&block, &runtime);
    quote!(#stripped #description #uses #mistakes)
}

/// The expansion of `#[rpc]` or `#[topic]`, which `#[service]` takes away from what is its own.
pub(crate) fn alone(text: &str, options: &TokenStream, item: TokenStream) -> TokenStream {
    if options.to_string() == IN_SERVICE {
        return item;
    }
    let error = syn::Error::new(Span::call_site(), text).into_compile_error();
    quote!(#item #error)
}

fn description(service: &Service, runtime: &Runtime) -> TokenStream {
    let Service { ty, name, docs, cfg, methods, topics } = service;
    let private = runtime.private(Span::call_site());
    let location = location(ty.span());
    let methods = methods.iter().map(method::descriptor);
    let topics = topics.iter().map(topic);
    let constant = quote! {
        const DESCRIPTOR: &'static __rt::ServiceDescriptor = &__rt::ServiceDescriptor {
            name: #name,
            docs: #docs,
            type_id: __rt::type_id::<Self>,
            location: #location,
            package: __rt::env!("CARGO_PKG_NAME"),
            methods: &[#(#methods),*],
            topics: &[#(#topics),*],
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
        };
    }
}

fn topic(topic: &Topic) -> TokenStream {
    let Topic { uri, docs, cfg, delivery, .. } = topic;
    let location = location(uri.span());
    let delivery = self::delivery(delivery);
    quote! {
        #(#cfg)*
        __rt::TopicDescriptor { uri: #uri, docs: #docs, location: #location, delivery: __rt::#delivery }
    }
}

fn delivery(delivery: &Delivery) -> TokenStream {
    match delivery {
        Delivery::Reliable => quote!(Delivery::Reliable),
        Delivery::Latest => quote!(Delivery::Latest),
        Delivery::DropOldest(events) => quote!(Delivery::DropOldest(#events)),
    }
}

fn location(span: Span) -> TokenStream {
    quote_spanned!(span=> __rt::here!())
}
