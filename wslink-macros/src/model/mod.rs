//! A service that is known to be right: what `expand` may rely on. Each file has the rules of its own
//! kind; what breaks a rule is reported and left out, and the rest stays.

use std::collections::HashSet;

use syn::{Attribute, Expr, ExprLit, Lit, Meta, Type, ext::IdentExt};

pub(crate) use self::{
    client::{Call, Client, Subscription},
    default::DefaultValue,
    method::{Flavour, Method},
    parameter::Parameter,
    runtime::Runtime,
    settings::Settings,
    topic::{Delivery, Topic},
};
use crate::{
    mistakes::Mistakes,
    options::name,
    parse::{Block, Item, Kind, args, hidden},
    uri::Uri,
};

mod authority;
mod client;
mod default;
mod method;
mod parameter;
mod runtime;
mod settings;
mod topic;

/// One `#[service]` block.
pub(crate) struct Service {
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) cfg: Vec<Attribute>,
    pub(crate) methods: Vec<Method>,
    pub(crate) topics: Vec<Topic>,
}

impl Service {
    /// Nothing when not even the type is fit for a service.
    pub(crate) fn check(block: &Block, mistakes: &mut Mistakes) -> Option<Self> {
        let name = type_name(block, mistakes);
        let mut service = Self {
            ty: (*block.head.self_ty).clone(),
            docs: docs(&block.head.attrs),
            cfg: cfg(&block.head.attrs),
            methods: Vec::new(),
            topics: Vec::new(),
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
                self.methods.extend(Method::check(method, attribute, item, &self.name, mistakes));
            }
            (Kind::Constant(constant), "topic") => {
                self.topics.extend(Topic::check(constant, attribute, (index, item), &self.name, mistakes));
            }
            (Kind::Method(method), _) => {
                self.topics.extend(Topic::function(method, attribute, (index, item), &self.name, mistakes));
            }
            (Kind::Constant(_), _) => {
                mistakes.add(attribute.path(), "`#[rpc]` on a constant; write `#[topic]`, or make it a method");
            }
            (Kind::Unreadable(_), name) => {
                mistakes.add(attribute.path(), format!("what stands under `#[{name}]` cannot be read; complete its signature"));
            }
            (Kind::Other(_), _) => {}
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

/// The documentation: each line without the space that follows `///`.
pub(crate) fn docs(attributes: &[Attribute]) -> String {
    let lines =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
    let lines: Vec<_> = lines
        .map(|text| text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()).collect::<Vec<_>>().join("\n"))
        .collect();
    lines.join("\n").trim().to_owned()
}

fn deprecated(attributes: &[Attribute]) -> Option<Attribute> {
    attributes.iter().find(|attribute| attribute.path().is_ident("deprecated")).cloned()
}

fn cfg(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect()
}
