//! The description of a hook, and the shim that runs it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, spanned::Spanned};

use super::location;
use crate::model::{Hook, HookKind};

pub(super) fn hook(hook: &Hook) -> TokenStream {
    let Hook { kind, word, topic, service, cfg, allowed, name, is_async, parameters, output } = hook;
    let site = Span::mixed_site();
    let kind_name = kind_name(*kind);
    let marker = match kind {
        HookKind::Connected => quote!(__rt::OnConnected),
        HookKind::Disconnected => quote!(__rt::OnDisconnected),
        _ => quote!(__rt::OnOther),
    };
    let topic = topic.as_ref().map_or_else(|| quote!(__rt::None), |topic| quote!(__rt::Some(#topic)));
    let (call, this) = (Ident::new("call", site), Ident::new("this", site));
    let values: Vec<_> = (0..parameters.len()).map(|index| Ident::new(&format!("a{index}"), site)).collect();
    let takes = parameters.iter().zip(&values).map(|(ty, value)| {
        // What cannot be taken is wrong at its type.
        quote_spanned!(ty.span()=> let #value = #call.take::<#marker, #ty>();)
    });
    let result = quote_spanned!(site=> <#service>::#name(&#this, #(#values),*));
    // A result that is none is wrong at the type that the user wrote.
    let place = output.as_ref().map_or_else(|| name.span(), Spanned::span);
    let outcome = if *is_async {
        quote_spanned!(place=> __rt::hooked_later::<#marker, _>(async move { #result.await }))
    } else {
        quote_spanned!(place=> __rt::hooked::<#marker, _>(#result))
    };
    let location = location(word.span());
    let kind = quote!(__rt::HookKind::#kind_name);
    quote! {
        #(#cfg)*
        {
            #(#allowed)*
            fn __hook(#call: &__rt::HookCall<'_>) -> __rt::Hooked {
                let #this = __rt::service_of::<#service>(#call);
                #(#takes)*
                #outcome
            }
            __rt::hook(#kind, #topic, #location, __hook)
        }
    }
}

fn kind_name(kind: HookKind) -> TokenStream {
    let name = match kind {
        HookKind::Connected => "Connected",
        HookKind::Disconnected => "Disconnected",
        HookKind::Lost => "Lost",
        HookKind::Resumed => "Resumed",
        HookKind::Subscribed => "Subscribed",
        HookKind::Unsubscribed => "Unsubscribed",
    };
    Ident::new(name, Span::call_site()).into_token_stream()
}
