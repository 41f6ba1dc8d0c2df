//! A service that is known to be right: what `expand` may rely on. Each file has the rules of its own
//! kind; what breaks a rule is reported and left out, and the rest stays.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, Meta, Type, ext::IdentExt};

use self::itself::Itself;
pub(crate) use self::{
    client::{Call, Client, Subscription},
    default::DefaultValue,
    documentation::Docs,
    hook::{Hook, HookKind},
    method::{Flavour, Method},
    parameter::Parameter,
    runtime::Runtime,
    settings::Settings,
    topic::{Delivery, Topic},
};
use crate::{
    mistakes::Mistakes,
    options::name,
    parse::{Block, Item, Kind, args, hidden, is_hook},
    uri::{Uri, UriStyle},
};

mod authority;
mod client;
mod default;
mod documentation;
mod externs;
mod hook;
mod itself;
mod method;
mod parameter;
mod received;
mod result;
mod runtime;
mod settings;
mod topic;

/// One `#[service]` block.
pub(crate) struct Service {
    pub(crate) ty: Type,
    pub(crate) name: String,
    /// What `Self` stands for.
    itself: Itself,
    uri_style: UriStyle,
    pub(crate) docs: Docs,
    pub(crate) cfg: Vec<Attribute>,
    /// The lints that the user has allowed in the block.
    pub(crate) allowed: Vec<TokenStream>,
    pub(crate) methods: Vec<Method>,
    pub(crate) topics: Vec<Topic>,
    pub(crate) hooks: Vec<Hook>,
}

impl Service {
    /// Nothing when not even the type is fit for a service.
    pub(crate) fn check(block: &Block, uri_style: UriStyle, mistakes: &mut Mistakes) -> Option<Self> {
        let name = type_name(block, mistakes);
        let mut service = Self {
            ty: (*block.head.self_ty).clone(),
            itself: Itself::of(&block.head.self_ty),
            uri_style,
            docs: Docs::of(&block.head.attrs),
            cfg: cfg(&block.head.attrs),
            allowed: carried(&block.head.attrs),
            methods: Vec::new(),
            topics: Vec::new(),
            hooks: Vec::new(),
            name: name.clone().unwrap_or_default(),
        };
        for (index, item) in block.items.iter().enumerate() {
            service.add(index, item, mistakes);
        }
        unique(service.methods.iter().map(|method| (&method.uri, &method.cfg)), mistakes);
        unique(service.topics.iter().map(|topic| (&topic.uri, &topic.cfg)), mistakes);
        name.map(|_| service)
    }

    fn add(&mut self, index: usize, item: &Item, mistakes: &mut Mistakes) {
        for word in item.hidden.iter().filter_map(hidden) {
            let text = format!("`#[{word}]` inside `cfg_attr`; write `#[cfg(…)]` and `#[{word}(…)]` on the item");
            mistakes.add(word, text);
        }
        let Some((attribute, surplus)) = item.ours.split_first() else {
            return orphans(item, mistakes);
        };
        for surplus in surplus {
            let text = "a second attribute on one item; write one `fn` or `const` for each URI";
            mistakes.add(surplus.path(), text);
        }
        match (&item.kind, name(attribute).as_str()) {
            (Kind::Method(method), "rpc") => {
                let method = Method::check(method, attribute, item, self, mistakes);
                self.methods.extend(method);
            }
            (Kind::Constant(constant), "topic") => {
                let topic = Topic::check(constant, attribute, (index, item), self, mistakes);
                self.topics.extend(topic);
            }
            (Kind::Method(method), name) if is_hook(name) => {
                let hook = Hook::check(method, attribute, item, self, mistakes);
                self.hooks.extend(hook);
            }
            (Kind::Method(method), _) => {
                let topic = Topic::function(method, attribute, (index, item), self, mistakes);
                self.topics.extend(topic);
            }
            (Kind::Constant(_), name) => {
                mistakes.add(attribute.path(), format!("`#[{name}]` on a constant; write `#[topic]`, or make it a method"));
            }
            (Kind::Unknown(_), name) => {
                let text = format!("what stands under `#[{name}]` cannot be read; write a `fn` with its whole signature");
                mistakes.add(attribute.path(), text);
            }
            // The compiler says what is wrong with those.
            (Kind::Unreadable(_) | Kind::Broken | Kind::Static(_) | Kind::Other(_), _) => {}
        }
    }
}

/// The name of the type, when it can be a service.
fn type_name(block: &Block, mistakes: &mut Mistakes) -> Option<String> {
    let head = &block.head;
    if let Some((path, _)) = &head.trait_ {
        mistakes.add(path, "`#[service]` on a trait's `impl`; write it on an `impl` block of the type alone");
        return None;
    }
    if !head.generics.params.is_empty() {
        mistakes.add(
            &head.generics.params,
            "a service cannot be generic, because each URI leads to one method; write the `impl` for one concrete type",
        );
        return None;
    }
    if let Some(clause) = &head.generics.where_clause {
        mistakes.add(clause, "a service has no `where` clause; write the `impl` for one concrete type");
        return None;
    }
    if let Some(lifetime) = parameter::borrowed(&head.self_ty) {
        mistakes.add(lifetime, "a service cannot borrow, because it outlives every call; let the type own its data");
        return None;
    }
    match ungrouped(&head.self_ty) {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.unraw().to_string()),
        Type::TraitObject(object) => {
            mistakes.add(object, "a service cannot be a trait object; write the `impl` for a struct or an enum");
            None
        }
        // No other type can have an `impl` block; the compiler says so.
        _ => None,
    }
}

/// What `macro_rules!` hands on as `$ty:ty` comes in an invisible group.
pub(crate) fn ungrouped(mut ty: &Type) -> &Type {
    while let Type::Group(syn::TypeGroup { elem, .. }) | Type::Paren(syn::TypeParen { elem, .. }) = ty {
        ty = elem;
    }
    ty
}

/// `#[arg]` without `#[rpc]`.
fn orphans(item: &Item, mistakes: &mut Mistakes) {
    let Kind::Method(method) = &item.kind else { return };
    for attribute in method.signature.inputs.iter().flat_map(args) {
        mistakes.add(attribute.path(), "`#[arg]` without `#[rpc]`; write `#[rpc(\"…\")]` on the method, or remove it");
    }
}

/// Items under a `cfg` may be alternatives of each other; the server's table has the last word.
fn unique<'a>(uris: impl Iterator<Item = (&'a Uri, &'a Vec<Attribute>)>, mistakes: &mut Mistakes) {
    let mut known = HashSet::new();
    for (uri, _) in uris.filter(|(_, cfg)| cfg.is_empty()) {
        if !known.insert(uri.text()) {
            mistakes.add(uri, format!("the URI `{}` is taken by an earlier item of this block; write another", uri.text()));
        }
    }
}

fn deprecated(attributes: &[Attribute]) -> Option<Attribute> {
    attributes.iter().find(|attribute| attribute.path().is_ident("deprecated")).cloned()
}

fn cfg(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect()
}

/// The lints that an item's attributes allow, for what is generated from it. An `expect` is an `allow` there:
/// whether the lint would have fired in generated code is not the user's business.
fn carried(attributes: &[Attribute]) -> Vec<TokenStream> {
    let allowed = attributes.iter().filter_map(|attribute| {
        let Meta::List(list) = &attribute.meta else { return None };
        let inside = &list.tokens;
        if list.path.is_ident("allow") || list.path.is_ident("expect") {
            return Some(quote!(#[allow(#inside)]));
        }
        let conditional = list.path.is_ident("cfg_attr") && only_allows(inside.clone());
        conditional.then(|| quote!(#[cfg_attr(#inside)]))
    });
    allowed.collect()
}

/// `condition, allow(…)`
fn only_allows(inside: TokenStream) -> bool {
    let mut pieces = vec![Vec::new()];
    for token in inside {
        match &token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => pieces.push(Vec::new()),
            _ => pieces.last_mut().into_iter().for_each(|piece| piece.push(token.to_string())),
        }
    }
    let [_condition, attributes @ ..] = &pieces[..] else { return false };
    attributes.iter().all(|words| words.first().is_none_or(|word| word == "allow"))
}
