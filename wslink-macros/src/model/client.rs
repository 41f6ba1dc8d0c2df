//! The rules of `#[service(client)]`: what a client must know that a server does not need to.
//!
//! What a type is can only be guessed by its name here. Each guess is written down, and the compiler
//! is asked whether it is right.

use std::collections::HashSet;

use proc_macro2::Ident;
use quote::format_ident;
use syn::{GenericArgument, PathArguments, Type, ext::IdentExt};

use super::{Method, Parameter, Service, Topic, received, ungrouped};
use crate::mistakes::Mistakes;

/// The client of a service that is known to be right.
pub(crate) struct Client<'a> {
    pub(crate) name: Ident,
    pub(crate) calls: Vec<Call<'a>>,
    pub(crate) subscriptions: Vec<Subscription<'a>>,
}

/// One method of it.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a Method,
    /// What the client sends.
    pub(crate) arguments: Vec<&'a Parameter>,
    /// What it gets, as its own.
    pub(crate) value: Type,
    /// Whether the method returns that in a `Result`.
    pub(crate) in_result: bool,
}

/// One topic of it.
pub(crate) struct Subscription<'a> {
    pub(crate) name: Ident,
    pub(crate) topic: &'a Topic,
    /// What the client filters by, when each subscription has a stream of its own.
    pub(crate) filter: Option<Vec<&'a Parameter>>,
}

impl<'a> Client<'a> {
    pub(crate) fn check(service: &'a Service, flag: &Ident, mistakes: &mut Mistakes) -> Self {
        let mut names: HashSet<_> = service.methods.iter().map(|method| method.name.clone()).collect();
        let mut subscriptions = Vec::new();
        for topic in &service.topics {
            let name = method_name(&topic.name);
            if names.insert(name.clone()) || !topic.cfg.is_empty() {
                let filter = topic.stream.as_ref().map(|stream| arguments(stream).collect());
                subscriptions.push(Subscription { name, topic, filter });
            } else {
                let text = format!(
                    "the client has another method `{}`, beside which this topic's would be; rename one of them",
                    name.unraw()
                );
                mistakes.add(&topic.name, text);
            }
        }
        Self {
            name: format_ident!("{}Client", service.name, span = flag.span()),
            calls: service.methods.iter().filter_map(|method| Call::check(method, mistakes)).collect(),
            subscriptions,
        }
    }
}

impl<'a> Call<'a> {
    fn check(method: &'a Method, mistakes: &mut Mistakes) -> Option<Self> {
        let Some(returns) = &method.returns else {
            let text =
                "the method's result has no name, by which a client could expect it; write a concrete type, or remove `client`";
            mistakes.add(&method.name, text);
            return None;
        };
        let arguments: Vec<_> = arguments(method).collect();
        if let Some(rest) = arguments.iter().find(|parameter| parameter.is_rest())
            && arguments.len() > 1
        {
            mistakes.add(
                &rest.ty,
                "`Args` beside other arguments, which a client could not tell apart; take all by `Args`, or remove `client`",
            );
            return None;
        }
        let ok = ok(returns);
        match received::owned(ok.unwrap_or(returns)) {
            Ok(value) => Some(Self { method, arguments, value, in_result: ok.is_some() }),
            Err(place) => {
                mistakes.add(place, "a client cannot receive a trait object; write a concrete type, or remove `client`");
                None
            }
        }
    }
}

/// The parameters that are on the wire.
fn arguments(method: &Method) -> impl Iterator<Item = &Parameter> {
    method.parameters.iter().filter(|parameter| !parameter.is_context())
}

/// `CHANGED` → `changed`, `TYPE` → `r#type`.
fn method_name(topic: &Ident) -> Ident {
    let mut name = topic.unraw().to_string().to_lowercase();
    if matches!(name.as_str(), "crate" | "self" | "super") {
        name.push('_');
    }
    let mut name = syn::parse_str(&name).unwrap_or_else(|_| Ident::new_raw(&name, topic.span()));
    name.set_span(topic.span());
    name
}

/// `T` in what looks like a `Result<T, E>`.
fn ok(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ungrouped(ty) else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| if let GenericArgument::Type(ty) = argument { Some(ty) } else { None })
}
