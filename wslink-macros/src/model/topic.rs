//! The rules of `#[topic]` constants: a name, a payload type, a delivery, and no value.

use syn::{Attribute, Expr, ExprLit, Lit, LitInt};

use super::{cfg, docs};
use crate::{
    mistakes::{Mistakes, suggestion},
    options::Options,
    parse::{Constant, Item},
    uri::{Uri, example},
};

/// One topic that clients can subscribe to.
pub(crate) struct Topic {
    pub(crate) uri: Uri,
    pub(crate) docs: String,
    pub(crate) cfg: Vec<Attribute>,
    /// Its place in the block: under different `cfg`s there may be several of one name.
    pub(crate) index: usize,
    pub(crate) delivery: Delivery,
}

/// What happens to a client that cannot keep up.
pub(crate) enum Delivery {
    Reliable,
    Latest,
    DropOldest(LitInt),
}

impl Topic {
    pub(super) fn check(
        constant: &Constant,
        attribute: &Attribute,
        (index, item): (usize, &Item),
        service: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let options = Options::of(attribute, &["delivery"], mistakes);
        let uri = Uri::of(&options, &example(service, &constant.name), mistakes);
        let delivery = match options.value("delivery", "latest", mistakes) {
            None => Some(Delivery::Reliable),
            Some(value) => Delivery::of(value, mistakes),
        };
        if let Some(value) = &constant.value {
            mistakes.add(value, "the macro gives a topic its value; end the declaration after the type, with `;`");
            return None;
        }
        Some(Self { uri: uri?, docs: docs(&item.attributes), cfg: cfg(&item.attributes), index, delivery: delivery? })
    }
}

impl Delivery {
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
