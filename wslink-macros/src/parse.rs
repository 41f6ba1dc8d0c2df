//! The syntax of a `#[service]` block: its items, and which of our attributes they carry.
//!
//! Judges nothing, and keeps bodies as tokens, so that a half-typed body never swallows the block.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, FnArg, Ident, ImplItem, ItemImpl, Meta, PatType, Receiver, Signature, Token, Type, Visibility,
    parse::{Parse, ParseStream, Parser, discouraged::Speculative},
};

use crate::{
    options::name,
    recover::{begins_item, declares, is_call, is_whole, skip},
};

/// An `impl` block.
pub(crate) struct Block {
    /// All but the items.
    pub(crate) head: ItemImpl,
    pub(crate) items: Vec<Item>,
}

/// Anything in the block, with its attributes.
pub(crate) struct Item {
    /// `#[rpc]`, `#[topic]` and those of hooks.
    pub(crate) ours: Vec<Attribute>,
    /// `#[cfg_attr(…, rpc(…))]`: the compiler has not looked into it yet.
    pub(crate) hidden: Vec<Attribute>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Method(Method),
    Constant(Constant),
    /// Should be one of them, but breaks the syntax of Rust: the compiler has said so, or is about to.
    Unreadable(TokenStream),
    /// The same, where the compiler does not even find its end. It is left out, so that the rest is there.
    Broken,
    /// Is Rust, and should be one of them, but is in no form that is known here.
    Unknown(TokenStream),
    /// `static …`, which the compiler refuses in an `impl` block.
    Static(TokenStream),
    /// Is none of them. It keeps our attributes, which say where they belong when they are reached.
    Other(TokenStream),
}

/// `pub fn name(…) -> T { … }`
pub(crate) struct Method {
    visibility: Visibility,
    pub(crate) signature: Signature,
    body: TokenTree,
}

/// `pub const NAME: T;` or `pub const NAME: T = …;`
pub(crate) struct Constant {
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// From the `=` on.
    pub(crate) value: Option<TokenStream>,
}

impl Block {
    /// Nothing when `item` is something else.
    pub(crate) fn parse(item: &TokenStream) -> Option<Self> {
        let mut head: Vec<TokenTree> = item.clone().into_iter().collect();
        let Some(TokenTree::Group(body)) = head.pop() else { return None };
        let mut empty = Group::new(body.delimiter(), TokenStream::new());
        empty.set_span(body.span());
        head.push(empty.into());
        let mut head: ItemImpl = syn::parse2(TokenStream::from_iter(head)).ok()?;
        let (inner, items) = items.parse2(body.stream()).ok()?;
        head.attrs.extend(inner);
        Some(Self { head, items })
    }
}

fn items(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Vec<Item>)> {
    let inner = input.call(Attribute::parse_inner)?;
    let mut items = Vec::new();
    while !input.is_empty() {
        items.push(input.parse()?);
    }
    Ok((inner, items))
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let kind = if let Some(method) = attempt(input) {
            Kind::Method(method)
        } else if let Some(constant) = attempt(input) {
            Kind::Constant(constant)
        } else {
            let tokens = skip(input)?;
            if declares(&tokens, &["static"]) {
                Kind::Static(tokens)
            } else if !declares(&tokens, &["fn", "const"])
                && !is_call(&tokens)
                && attributes.iter().any(|one| is_ours(&name(one)))
            {
                Kind::Broken
            } else if !declares(&tokens, &["fn", "const"]) {
                return Ok(Self { ours: Vec::new(), hidden: Vec::new(), attributes, kind: Kind::Other(tokens) });
            } else if syn::parse2::<ImplItem>(tokens.clone()).is_ok() {
                Kind::Unknown(tokens)
            } else if is_whole(&tokens) {
                Kind::Unreadable(tokens)
            } else {
                Kind::Broken
            }
        };
        let (ours, attributes) = attributes.into_iter().partition(|attribute| is_ours(&name(attribute)));
        let (hidden, attributes) = Vec::into_iter(attributes).partition(|attribute| hidden(attribute).is_some());
        Ok(Self { ours, hidden, attributes, kind })
    }
}

fn is_ours(name: &str) -> bool {
    name == "rpc" || name == "topic" || is_hook(name)
}

/// Whether it is an attribute of a method that is called when something happens to a client.
pub(crate) fn is_hook(name: &str) -> bool {
    matches!(name, "connected" | "disconnected" | "lost" | "resumed" | "subscribed" | "unsubscribed")
}

/// The first of our attributes inside a `cfg_attr`.
pub(crate) fn hidden(attribute: &Attribute) -> Option<TokenTree> {
    let Meta::List(list) = &attribute.meta else { return None };
    let mut inside = list.tokens.clone().into_iter();
    list.path.is_ident("cfg_attr").then(|| inside.find(|token| is_ours(&token.to_string()))).flatten()
}

fn attempt<T: Parse>(input: ParseStream<'_>) -> Option<T> {
    let ahead = input.fork();
    let parsed = ahead.parse().ok()?;
    input.advance_to(&ahead);
    Some(parsed)
}

impl Parse for Method {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (visibility, signature) = (input.parse()?, input.parse()?);
        let body: TokenTree = input.parse()?;
        let ends = match &body {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            other => other.to_string() == ";",
        };
        if ends { Ok(Self { visibility, signature, body }) } else { Err(syn::Error::new(body.span(), "no body")) }
    }
}

impl Parse for Constant {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let visibility = input.parse()?;
        input.parse::<Token![const]>()?;
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        if begins_item(input) {
            // The compiler says that there is no `;`. What follows is the next item all the same.
            return Ok(Self { visibility, name, ty, value: None });
        }
        let mut value = None;
        while !input.peek(Token![;]) {
            input.parse::<TokenTree>()?.to_tokens(value.get_or_insert_with(TokenStream::new));
        }
        input.parse::<Token![;]>()?;
        Ok(Self { visibility, name, ty, value })
    }
}

impl ToTokens for Constant {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { visibility, name, ty, value } = self;
        quote!(#visibility const #name: #ty #value;).to_tokens(tokens);
    }
}

impl Method {
    /// Without what is ours, or taken for ours, on its parameters.
    pub(crate) fn stripped(&self) -> TokenStream {
        self.without(|attribute| is_arg(attribute) || is_serde(attribute))
    }

    fn without(&self, taken: impl Fn(&Attribute) -> bool) -> TokenStream {
        let Self { visibility, signature, body } = self;
        let mut signature = signature.clone();
        for input in &mut signature.inputs {
            let (FnArg::Typed(PatType { attrs, .. }) | FnArg::Receiver(Receiver { attrs, .. })) = input;
            attrs.retain(|attribute| !taken(attribute));
        }
        quote!(#visibility #signature #body)
    }

    /// Where its source ends.
    pub(crate) fn end(&self) -> Span {
        self.body.span()
    }
}

/// Without `#[arg]`.
impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.without(is_arg).to_tokens(tokens);
    }
}

/// The `#[arg]` attributes of a parameter, or of the receiver.
pub(crate) fn args(input: &FnArg) -> impl Iterator<Item = &Attribute> {
    let (FnArg::Typed(PatType { attrs, .. }) | FnArg::Receiver(Receiver { attrs, .. })) = input;
    attrs.iter().filter(|attribute| is_arg(attribute))
}

/// What people write on a parameter as if it were a field.
pub(crate) fn is_serde(attribute: &Attribute) -> bool {
    attribute.path().is_ident("serde")
}

fn is_arg(attribute: &Attribute) -> bool {
    name(attribute) == "arg"
}
