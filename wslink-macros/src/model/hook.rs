//! The rules of hooks: methods that are called when a client connects, subscribes, is lost or gone.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, FnArg, Ident, ReturnType, Type};

use super::{
    Service, carried, cfg,
    method::{qualifiers, receiver},
    parameter::owned,
    ungrouped,
};
use crate::{
    mistakes::Mistakes,
    options::{Options, name},
    parse::{self, Item, args},
    uri::Uri,
};

/// One hook.
pub(crate) struct Hook {
    pub(crate) kind: HookKind,
    /// The word of the attribute, where a complaint about the hook as a whole belongs.
    pub(crate) word: TokenStream,
    /// The topic that it is about.
    pub(crate) topic: Option<Uri>,
    /// The type that has it.
    pub(crate) service: Type,
    pub(crate) cfg: Vec<Attribute>,
    /// The lints that the user has allowed on it.
    pub(crate) allowed: Vec<TokenStream>,
    pub(crate) name: Ident,
    pub(crate) is_async: bool,
    pub(crate) parameters: Vec<Type>,
    /// What it returns, where that is written.
    pub(crate) output: Option<Type>,
}

/// When a hook runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HookKind {
    Connected,
    Disconnected,
    Lost,
    Resumed,
    Subscribed,
    Unsubscribed,
}

impl HookKind {
    /// By the name of its attribute.
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "connected" => Self::Connected,
            "disconnected" => Self::Disconnected,
            "lost" => Self::Lost,
            "resumed" => Self::Resumed,
            "subscribed" => Self::Subscribed,
            "unsubscribed" => Self::Unsubscribed,
            _ => return None,
        })
    }

    /// Whether it is about one topic.
    const fn has_topic(self) -> bool {
        matches!(self, Self::Subscribed | Self::Unsubscribed)
    }
}

impl Hook {
    pub(super) fn check(
        method: &parse::Method,
        attribute: &Attribute,
        item: &Item,
        service: &Service,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let word = name(attribute);
        let kind = HookKind::of(&word)?;
        let signature = &service.itself.in_signature(&method.signature);
        let topic = topic(kind, attribute, service, mistakes);
        let callable = receiver(signature, mistakes) & qualifiers(signature, mistakes);
        let mut parameters = Some(Vec::new());
        for input in &signature.inputs {
            for attribute in args(input) {
                mistakes.add(attribute.path(), "`#[arg]` on a parameter of a hook, which is called with no arguments; remove it");
                parameters = None;
            }
            let FnArg::Typed(typed) = input else { continue };
            if !owned(&typed.ty, mistakes) {
                parameters = None;
            }
            parameters.iter_mut().for_each(|all| all.push((*typed.ty).clone()));
        }
        let output = match &signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(ungrouped(ty).clone()),
        };
        Some(Self {
            kind,
            word: attribute.path().to_token_stream(),
            topic: topic?,
            service: service.ty.clone(),
            cfg: cfg(&item.attributes),
            allowed: carried(&item.attributes),
            name: signature.ident.clone(),
            is_async: signature.asyncness.is_some(),
            parameters: parameters.filter(|_| callable)?,
            output,
        })
    }
}

/// The topic of the attribute, which some kinds must have and the others must not; nothing when that is wrong.
#[expect(clippy::option_option, reason = "the outer one is whether the attribute is right, the inner one whether it has a topic")]
fn topic(kind: HookKind, attribute: &Attribute, service: &Service, mistakes: &mut Mistakes) -> Option<Option<Uri>> {
    let word = name(attribute);
    if kind.has_topic() {
        let options = Options::of_item(attribute, &[], mistakes);
        return Uri::of(&options, "chat.said", service.uri_style, mistakes).map(Some);
    }
    let options = Options::of(attribute, &[], mistakes);
    match options.positional().first() {
        None => Some(None),
        Some(surplus) => {
            mistakes.add(surplus, format!("`#[{word}]` is about clients and has no topic; write `#[{word}]` alone"));
            None
        }
    }
}
