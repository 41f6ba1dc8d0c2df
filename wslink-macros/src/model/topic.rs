//! The rules of `#[topic]`: a name, a payload type, a delivery, and no value; or a function that
//! makes the stream of each subscription.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, ExprCall, ExprLit, GenericArgument, Ident, Lit, LitInt, LitStr, PathArguments, ReturnType, Signature, Type,
    TypeParamBound, parse_quote,
};

use super::{Docs, Method, Service, authority::authority, carried, cfg, deprecated, ungrouped};
use crate::{
    mistakes::{Mistakes, suggestion},
    options::Options,
    parse::{self, Constant, Item},
    uri::{Uri, example},
};

/// One topic that clients can subscribe to.
pub(crate) struct Topic {
    pub(crate) uri: Uri,
    pub(crate) name: Ident,
    /// `Topic<Payload>`, however it is spelled.
    pub(crate) ty: Type,
    pub(crate) docs: Docs,
    pub(crate) deprecated: Option<Attribute>,
    pub(crate) cfg: Vec<Attribute>,
    /// The lints that the user has allowed on it.
    pub(crate) allowed: Vec<TokenStream>,
    /// Its place in the block: under different `cfg`s there may be several of one name.
    pub(crate) index: usize,
    pub(crate) delivery: Delivery,
    pub(crate) retain: bool,
    /// What a subscriber must have.
    pub(crate) require: Option<LitStr>,
    /// The function that makes the stream of each subscription, when it is not a constant.
    pub(crate) stream: Option<Method>,
}

/// What happens to a client that cannot keep up.
pub(crate) enum Delivery {
    Reliable,
    Latest,
    /// The newest of each value of a field of the payload.
    LatestOf(Ident),
    DropOldest(LitInt),
}

impl Topic {
    pub(super) fn check(
        constant: &Constant,
        attribute: &Attribute,
        (index, item): (usize, &Item),
        service: &Service,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let options = Options::of_item(attribute, &["delivery", "require", "retain"], mistakes);
        let uri = Uri::of(&options, &example(&service.name, &constant.name), service.uri_style, mistakes);
        let delivery = Delivery::check(&options, mistakes);
        let retain = retain(&options, mistakes);
        let require = authority(&options, mistakes);
        if let Some(value) = &constant.value {
            mistakes.add(value, "the macro gives a topic its value; end the declaration after the type, with `;`");
            return None;
        }
        Some(Self {
            uri: uri?,
            name: constant.name.clone(),
            ty: service.itself.in_type(&constant.ty),
            docs: Docs::of(&item.attributes),
            deprecated: deprecated(&item.attributes),
            cfg: cfg(&item.attributes),
            allowed: carried(&item.attributes),
            index,
            delivery: delivery?,
            retain,
            require,
            stream: None,
        })
    }

    /// A topic of which each subscription has a stream of its own.
    pub(super) fn function(
        method: &parse::Method,
        attribute: &Attribute,
        (index, item): (usize, &Item),
        service: &Service,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let options = Options::of_item(attribute, &["delivery", "require", "retain"], mistakes);
        if let Some((retain, _)) = options.find("retain") {
            mistakes.add(retain, "a stream of its own retains nothing; remove `retain`, and begin the stream with what was last");
        }
        let uri = Uri::of(&options, &example(&service.name, &method.signature.ident), service.uri_style, mistakes);
        let delivery = Delivery::check(&options, mistakes);
        if let Some(Delivery::LatestOf(key)) = &delivery {
            mistakes.add(key, "a stream of its own has no keys; write `delivery = latest`");
        }
        let payload = items(&method.signature)
            .map_or_else(|| quote!(__rt::Value), |payload| service.itself.in_type(payload).to_token_stream());
        let require = authority(&options, mistakes);
        let stream = Method::stream(method, uri?, require, (item, service), mistakes)?;
        Some(Self {
            uri: stream.uri.clone(),
            name: stream.name.clone(),
            ty: parse_quote!(__rt::Topic<#payload>),
            docs: Docs::of(&item.attributes),
            deprecated: deprecated(&item.attributes),
            cfg: cfg(&item.attributes),
            allowed: carried(&item.attributes),
            index,
            delivery: delivery?,
            retain: false,
            require: stream.require.clone(),
            stream: Some(stream),
        })
    }
}

/// `retain = last`
fn retain(options: &Options, mistakes: &mut Mistakes) -> bool {
    let Some(value) = options.value("retain", "last", mistakes) else { return false };
    let is_last = matches!(value, Expr::Path(path) if path.path.is_ident("last"));
    if !is_last {
        mistakes.add(value, "only the last payload can be retained; write `retain = last`");
    }
    is_last
}

impl Delivery {
    fn check(options: &Options, mistakes: &mut Mistakes) -> Option<Self> {
        match options.value("delivery", "latest", mistakes) {
            None => Some(Self::Reliable),
            Some(value) => Self::of(value, mistakes),
        }
    }

    fn of(value: &Expr, mistakes: &mut Mistakes) -> Option<Self> {
        const KNOWN: &[&str] = &["reliable", "latest", "drop_oldest(16)"];
        match value {
            Expr::Path(path) => match path.path.get_ident().map(ToString::to_string).as_deref() {
                Some("reliable") => return Some(Self::Reliable),
                Some("latest") => return Some(Self::Latest),
                Some("drop_oldest") => {
                    mistakes.add(value, "`drop_oldest` does not say how many events may wait; write `drop_oldest(16)`");
                }
                Some(word) => mistakes.add(value, format!("unknown delivery `{word}`; {}", suggestion(word, KNOWN))),
                None => mistakes.add(value, format!("unknown delivery; {}", suggestion("", KNOWN))),
            },
            Expr::Call(call) if matches!(&*call.func, Expr::Path(path) if path.path.is_ident("drop_oldest")) => {
                match call.args.first() {
                    Some(Expr::Lit(ExprLit { lit: Lit::Int(events), .. })) if call.args.len() == 1 => {
                        return Self::drop_oldest(events, mistakes);
                    }
                    _ => mistakes.add(value, "`drop_oldest` takes one number: how many events may wait; write `drop_oldest(16)`"),
                }
            }
            Expr::Call(call) if matches!(&*call.func, Expr::Path(path) if path.path.is_ident("latest")) => {
                if let Some(key) = key(call) {
                    return Some(Self::LatestOf(key));
                }
                mistakes.add(value, "`latest` takes the field that tells things apart; write `latest(key = id)`, or `latest`");
            }
            Expr::Lit(_) => mistakes.add(value, "a delivery is a word, not a literal; write `delivery = latest`"),
            _ => mistakes.add(value, format!("unknown delivery; {}", suggestion("", KNOWN))),
        }
        None
    }

    fn drop_oldest(events: &LitInt, mistakes: &mut Mistakes) -> Option<Self> {
        match events.base10_parse::<usize>() {
            Ok(1..) => Some(Self::DropOldest(events.clone())),
            Ok(0) => {
                mistakes.add(events, "no event could ever wait; write `latest` for one, or a number above 0");
                None
            }
            Err(_) => {
                mistakes.add(events, "not a number of events; write a whole number above 0");
                None
            }
        }
    }
}

/// `key = field`
fn key(call: &ExprCall) -> Option<Ident> {
    let mut arguments = call.args.iter();
    let (Some(Expr::Assign(pair)), None) = (arguments.next(), arguments.next()) else { return None };
    match (&*pair.left, &*pair.right) {
        (Expr::Path(key), Expr::Path(field)) if key.path.is_ident("key") => field.path.get_ident().cloned(),
        _ => None,
    }
}

/// `T` of `impl Stream<Item = T>`; nothing when only the compiler knows.
fn items(signature: &Signature) -> Option<&Type> {
    let ReturnType::Type(_, ty) = &signature.output else { return None };
    let Type::ImplTrait(ty) = ungrouped(ty) else { return None };
    ty.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(item) if item.ident == "Item" => Some(&item.ty),
            _ => None,
        })
    })
}
