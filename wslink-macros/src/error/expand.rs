//! From the checked error to its implementations: `RpcError`, and unless the type has them itself
//! `Display`, `Error` and `From`.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{
    message::Message,
    model::ErrorType,
    variant::{Field, Role, Told, Variant},
};

/// Of names in generated code, which the user's cannot meet.
fn site() -> Span {
    Span::mixed_site()
}

pub(super) fn implementations(error: &ErrorType) -> TokenStream {
    let ty = &error.ty;
    let private = error.runtime.private(Span::call_site());
    let rpc_error = rpc_error(error);
    let standard = error.own_display.is_none().then(|| {
        let (display, error_trait) = (display(error), source(error));
        let from = error.variants.iter().filter_map(|variant| from(error, variant));
        quote!(#display #error_trait #(#from)*)
    });
    quote! {
        #[allow(deprecated, unused_qualifications)]
        const _: () = {
            use #private as __rt;
            #[automatically_derived]
            impl __rt::RpcError for #ty { #rpc_error }
            #standard
        };
    }
}

fn rpc_error(error: &ErrorType) -> TokenStream {
    let told = error.variants.iter().filter_map(|variant| Some((variant, variant.told.as_ref()?)));
    let descriptors = told.map(|(variant, told)| descriptor(variant, told));
    // The compiler points at `display` when there is none.
    let span = error.own_display.unwrap_or_else(Span::call_site);
    let mut index = 0..;
    let arms = error.variants.iter().map(|variant| {
        let Variant { path, fields, told, .. } = variant;
        if told.is_none() {
            return quote_spanned!(span=> #path { .. } => __rt::internal(&self),);
        }
        let index = index.next().map(Literal::usize_unsuffixed);
        let data = fields.iter().filter_map(data);
        let pattern = pattern(fields, |field| matches!(field.role, Role::Data(_)));
        quote_spanned!(span=> #path { #pattern } => __rt::told(&self, &Self::VARIANTS[#index], &[#(#data),*]),)
    });
    let body = if error.variants.is_empty() { quote!(match self {}) } else { quote!(match &self { #(#arms)* }) };
    let read = read(error);
    quote! {
        const VARIANTS: &'static [__rt::ErrorDescriptor] = &[#(#descriptors),*];
        fn into_call_error(self) -> __rt::CallError { #body }
        #read
    }
}

/// Reads those variants back of which a client is told everything.
fn read(error: &ErrorType) -> Option<TokenStream> {
    let call_error = quote_spanned!(site()=> error);
    let told = error.variants.iter().filter(|variant| variant.told.is_some());
    let arms: Vec<_> = told
        .enumerate()
        .filter_map(|(index, Variant { path, fields, .. })| {
            let fields: Option<Vec<_>> = fields.iter().map(|field| read_field(field, &call_error)).collect();
            let (index, fields) = (Literal::usize_unsuffixed(index), fields?);
            Some(quote!(#index => __rt::Some(#path { #(#fields),* }),))
        })
        .collect();
    (!arms.is_empty()).then(|| {
        quote! {
            fn from_call_error(#call_error: &__rt::CallError) -> __rt::Option<Self> {
                #[allow(unused_imports)]
                use __rt::Unread as _;
                match __rt::told_variant(#call_error, Self::VARIANTS)? { #(#arms)* _ => __rt::None }
            }
        }
    })
}

/// `title: …`; `None` where a client is not told it.
fn read_field(Field { role, member, ty, .. }: &Field, error: &TokenStream) -> Option<TokenStream> {
    let Role::Data(name) = role else { return None };
    Some(quote!(#member: __rt::FieldOf::<#ty>::read(#error, #name)?))
}

fn descriptor(Variant { message, docs, fields, .. }: &Variant, Told { name, code, .. }: &Told) -> TokenStream {
    let docs = docs.value(&quote!(__rt::concat));
    let message = message.template(fields);
    let fields = fields.iter().filter_map(|Field { role, ty, .. }| match role {
        Role::Data(name) => Some(quote!(#name: #ty)),
        Role::Cause { .. } | Role::Kept => None,
    });
    quote! {
        __rt::ErrorDescriptor {
            name: #name,
            code: #code,
            message: #message,
            docs: #docs,
            fields: __rt::error_fields!(#(#fields),*),
        }
    }
}

/// `("view", …)`; the compiler points at the type when it cannot be sent.
fn data(field: &Field) -> Option<TokenStream> {
    let Role::Data(name) = &field.role else { return None };
    let Field { binding, ty, .. } = field;
    Some(quote_spanned!(field.place()=> (#name, __rt::error_field::<#ty>(#binding))))
}

/// The pattern of the fields that are used, be they named or numbered.
fn pattern(fields: &[Field], used: impl Fn(&Field) -> bool) -> TokenStream {
    let bindings = fields.iter().filter(|field| used(field)).map(|Field { member, binding, .. }| quote!(#member: #binding,));
    quote!(#(#bindings)* ..)
}

fn display(error: &ErrorType) -> TokenStream {
    let ty = &error.ty;
    let f = quote_spanned!(site()=> f);
    let arms = error.variants.iter().map(|Variant { path, fields, message, .. }| {
        let pattern = pattern(fields, |field| message.uses(field));
        let write = message.write(fields, &f);
        quote!(#path { #pattern } => #write,)
    });
    let body = by_variant(error, arms);
    quote! {
        #[automatically_derived]
        impl __rt::Display for #ty {
            fn fmt(&self, #f: &mut __rt::Formatter<'_>) -> __rt::FmtResult { #body }
        }
    }
}

/// An enum without variants has no value to look at.
fn by_variant(error: &ErrorType, arms: impl Iterator<Item = TokenStream>) -> TokenStream {
    if error.variants.is_empty() { quote!(match *self {}) } else { quote!(match self { #(#arms)* }) }
}

fn source(error: &ErrorType) -> TokenStream {
    let ty = &error.ty;
    let arms = error.variants.iter().map(|Variant { path, fields, message, .. }| {
        let cause = fields.iter().find(|field| matches!(field.role, Role::Cause { .. }));
        let pattern = pattern(fields, |field| matches!(field.role, Role::Cause { .. }));
        let value = cause.map_or_else(
            || quote!(__rt::None),
            |field| {
                let Field { binding, ty, .. } = field;
                let cause = quote_spanned!(field.place()=> __rt::cause::<#ty>(#binding));
                // What the text of the cause stands for is not told twice.
                if let Message::Field(_) = message { quote!(#cause.source()) } else { quote!(__rt::Some(#cause)) }
            },
        );
        quote!(#path { #pattern } => #value,)
    });
    let body = by_variant(error, arms);
    quote! {
        #[automatically_derived]
        impl __rt::StdError for #ty {
            fn source(&self) -> __rt::Option<&(dyn __rt::StdError + 'static)> { #body }
        }
    }
}

fn from(error: &ErrorType, Variant { path, fields, .. }: &Variant) -> Option<TokenStream> {
    let Field { member, ty: from, .. } = fields.iter().find(|field| matches!(field.role, Role::Cause { from: true }))?;
    let ty = &error.ty;
    Some(quote! {
        #[automatically_derived]
        impl __rt::From<#from> for #ty {
            fn from(source: #from) -> Self { #path { #member: source } }
        }
    })
}

/// Enough for what uses a wrong error, so that there is one thing wrong with it and not two.
pub(super) fn stand_in(error: &ErrorType) -> TokenStream {
    let ErrorType { ty, runtime, own_display, variants } = error;
    let private = runtime.private(Span::call_site());
    let standard = own_display.is_none().then(|| {
        let from = variants.iter().filter_map(|variant| from(error, variant));
        quote! {
            impl __rt::Display for #ty { fn fmt(&self, _: &mut __rt::Formatter<'_>) -> __rt::FmtResult { __rt::unreachable!() } }
            impl __rt::StdError for #ty {}
            #(#from)*
        }
    });
    quote! {
        const _: () = {
            use #private as __rt;
            impl __rt::RpcError for #ty { fn into_call_error(self) -> __rt::CallError { __rt::unreachable!() } }
            #standard
        };
    }
}
