//! From the model to code: the block itself, its description, and its registration.
//!
//! Glue only: what the code does is in the runtime, and what may be written is in the model.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, LitStr, spanned::Spanned};

use crate::{
    mistakes::Mistakes,
    model::{Delivery, Service, Settings, Topic},
    parse::Block,
};

mod block;
mod client;
mod hook;
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
    let service = Service::check(&block, settings.uri_style, &mut mistakes);
    let topics = service.as_ref().map_or(&[][..], |service| &service.topics);
    let stripped = block::stripped(&block, topics, runtime);
    if runtime.is_missing() {
        return quote!(#stripped #mistakes);
    }
    let description = service.as_ref().map(|service| description(service, &settings));
    let client = settings.client.as_ref().zip(service.as_ref());
    let client = client.map(|(flag, service)| client::client(service, flag, &settings, &mut mistakes));
    let uses = block::uses(&block, runtime);
    quote!(#stripped #description #client #uses #mistakes)
}

/// The expansion of `#[rpc]` or `#[topic]`, which `#[service]` takes away from what is its own: it has not
/// seen this one, for one of three reasons.
pub(crate) fn alone(attribute: &str, place: &str, options: &TokenStream, item: TokenStream) -> TokenStream {
    if options.to_string() == IN_SERVICE {
        return item;
    }
    let text = match written_as() {
        Some(name) if name != attribute => {
            format!("`#[service]` does not know `{attribute}` by the name `{name}`; write `#[{attribute}(…)]`, and import it so")
        }
        _ => format!(
            "no `#[service]` has seen this `#[{attribute}]`, which belongs on {place} of an `impl` block; write `#[service]` \
             above that block, and if it is there, write the item out in the block, not in a macro"
        ),
    };
    let error = syn::Error::new(Span::call_site(), text).into_compile_error();
    quote!(#item #error)
}

/// The last word of the attribute's path in the source, where there is a source.
fn written_as() -> Option<String> {
    if !proc_macro::is_available() {
        return None;
    }
    let text = proc_macro::Span::call_site().source_text()?;
    let path = text.trim_start_matches(['#', '!', '[', ' ']).split(['(', ']', '=']).next()?;
    let word = path.rsplit(':').next()?.trim();
    syn::parse_str::<Ident>(word).ok().map(|word| word.to_string())
}

fn description(service: &Service, settings: &Settings) -> TokenStream {
    let Service { ty, name, docs, cfg, methods, topics, hooks, .. } = service;
    let private = settings.runtime.private(Span::call_site());
    let (docs, location) = (docs.value(&quote!(__rt::concat)), location(ty.span()));
    let schemas = settings.schema.as_ref().map(|flag| schemas::required(service, flag));
    let ordered = settings.ordered;
    let streams = topics.iter().filter_map(|topic| topic.stream.as_ref());
    let items = methods.iter().chain(streams).map(method::item);
    let methods = methods.iter().map(|method| {
        let (cfg, item) = (&method.cfg, method::item_name(method));
        quote!(#(#cfg)* #item)
    });
    let topics = topics.iter().map(topic);
    let hooks = hooks.iter().map(hook::hook);
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
            hooks: &[#(#hooks),*],
            ordered: #ordered,
        };
        const ERASURE: __rt::Erasure<Self> = __rt::Handlers::<Self>::ERASURE;
    };
    // The compiler points at the type when it has a second block, or cannot be shared.
    let implementation = quote_spanned!(ty.span()=> impl __rt::Service for #ty { #constant });
    let shared = quote_spanned!(ty.span()=> __rt::SharedByCalls::<#ty>::check());
    quote! {
        #(#cfg)*
        #[allow(deprecated, non_upper_case_globals, unused_qualifications)]
        const _: () = {
            use #private as __rt;
            #[allow(unused_imports)]
            use __rt::{NotSend as _, NotShared as _, OfAnyKind as _, Plain as _};
            #(#items)*
            #[automatically_derived]
            #implementation
            const _: fn() = || #shared;
            __rt::inventory::submit!(__rt::registration::<#ty>());
            #schemas
        };
    }
}

fn topic(topic: &Topic) -> TokenStream {
    let Topic { uri, ty, docs, deprecated, cfg, delivery, retain, require, stream, .. } = topic;
    let (docs, deprecated) = (docs.value(&quote!(__rt::concat)), deprecated.is_some());
    let stream = stream.as_ref().map(method::item_name);
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
    quote_spanned!(span=> __rt::here())
}
