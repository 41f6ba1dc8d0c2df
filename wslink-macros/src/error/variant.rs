//! The rules of one variant of an error, or of a struct that is an error: what clients are told of it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Expr, ExprLit, ExprUnary, Fields, Lit, Member, Meta, Type, UnOp, ext::IdentExt, spanned::Spanned};

use super::message::Message;
use crate::{mistakes::Mistakes, model::Docs, options::Options, uri::snake_case};

/// One variant.
pub(crate) struct Variant {
    /// `Self::Name`, or `Self` for a struct.
    pub(crate) path: TokenStream,
    pub(crate) docs: Docs,
    pub(crate) message: Message,
    pub(crate) fields: Vec<Field>,
    /// Nothing when clients are told nothing.
    pub(crate) told: Option<Told>,
}

/// What clients tell the variant by.
pub(crate) struct Told {
    pub(crate) name: String,
    /// Where a second variant of that name would be wrong.
    pub(crate) place: TokenStream,
    pub(crate) code: i32,
}

/// One field of a variant.
pub(crate) struct Field {
    /// In the source: a name, or a number.
    pub(crate) name: String,
    pub(crate) index: usize,
    pub(crate) member: Member,
    /// What it is called in generated code.
    pub(crate) binding: Ident,
    pub(crate) ty: Type,
    pub(crate) role: Role,
}

pub(crate) enum Role {
    /// Part of the error's data, by this name.
    Data(String),
    /// Why it happened; for the log.
    Cause { from: bool },
    /// Only for the message.
    Kept,
}

/// "Exception raised" of the protocol.
const EXCEPTION: i32 = -32001;

/// The codes that JSON-RPC and wslink have for themselves.
const RESERVED: std::ops::RangeInclusive<i32> = -32768..=-32000;

impl Variant {
    /// `own` options are known to belong to a variant.
    pub(super) fn check(
        (name, path): (&Ident, TokenStream),
        attributes: &[Attribute],
        (fields, options): (&Fields, &Options),
        own_display: bool,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        for surplus in options.positional() {
            mistakes.add(surplus, "`#[rpc_error]` takes options only; write `#[rpc_error(code = 404, message = \"…\")]`");
        }
        let internal = options.flag("internal", mistakes).is_some();
        let told = Told::check(name, options, internal, mistakes);
        let checked = fields_of(fields, internal, mistakes);
        let docs = Docs::of(attributes);
        let message = options.value("message", "\"…\"", mistakes);
        let message = match (message, own_display) {
            (Some(message), true) => {
                mistakes.add(message, "a `message` beside `display`, which takes the type's own; remove one of them");
                None
            }
            (Some(message), false) => checked.as_deref().and_then(|fields| Message::check(message, fields, mistakes)),
            (None, _) if internal && fields.len() == 1 => Some(Message::Field(0)),
            (None, _) => Some(Message::Text(text(docs.opening(), name))),
        };
        let told = if internal { None } else { Some(told?) };
        Some(Self { path, docs, message: message?, fields: checked?, told })
    }
}

/// The first paragraph of the documentation, or the name as words.
fn text(docs: &str, name: &Ident) -> String {
    let first = docs.split("\n\n").next().unwrap_or_default().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    match first.trim_end_matches('.') {
        "" => snake_case(&name.unraw().to_string()).replace('_', " "),
        text => text.to_owned(),
    }
}

impl Told {
    fn check(variant: &Ident, options: &Options, internal: bool, mistakes: &mut Mistakes) -> Option<Self> {
        if internal {
            for key in ["code", "name"] {
                if let Some((key, _)) = options.find(key) {
                    mistakes.add(
                        key,
                        format!("`{key}` of an `internal` error, of which clients are told nothing; remove one of them"),
                    );
                }
            }
            return None;
        }
        let code = match options.value("code", "404", mistakes) {
            None => Some(EXCEPTION),
            Some(value) => code(value, mistakes),
        };
        let own = variant.unraw().to_string();
        let (name, place) = match options.value("name", &format!("\"{}\"", snake_case(&own)), mistakes) {
            None => (snake_case(&own), variant.to_token_stream()),
            Some(value) => (word(value, "name", mistakes)?, value.to_token_stream()),
        };
        Some(Self { name, place, code: code? })
    }
}

fn code(value: &Expr, mistakes: &mut Mistakes) -> Option<i32> {
    let (negative, literal) = match value {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => (true, &**expr),
        other => (false, other),
    };
    let Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) = literal else {
        mistakes.add(value, "`code` is not a number; write `code = 404`, without quotes");
        return None;
    };
    let number = format!("{}{}", if negative { "-" } else { "" }, literal.base10_digits()).parse::<i32>();
    match number {
        Ok(number) if RESERVED.contains(&number) => {
            mistakes.add(value, "codes from -32768 to -32000 are the protocol's own; write another, such as `code = 404`");
            None
        }
        Ok(number) => Some(number),
        Err(_) => {
            mistakes.add(value, "the code does not fit 32 bits; write a smaller number, such as `code = 404`");
            None
        }
    }
}

fn word(value: &Expr, key: &str, mistakes: &mut Mistakes) -> Option<String> {
    let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = value else {
        mistakes.add(value, format!("`{key}` is not a string literal; write `{key} = \"no_camera\"`"));
        return None;
    };
    let word = literal.value();
    let good =
        word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
    if !good {
        let text = format!("not a {key}; write small letters, digits and `_`, such as `{key} = \"no_camera\"`");
        mistakes.add(literal, text);
    }
    good.then_some(word)
}

fn fields_of(fields: &Fields, internal: bool, mistakes: &mut Mistakes) -> Option<Vec<Field>> {
    let mut checked = Vec::new();
    let mut good = true;
    let mut cause = None;
    for (index, field) in fields.iter().enumerate() {
        let Some(role) = role(index, field, internal, mistakes) else {
            good = false;
            continue;
        };
        if let Role::Cause { .. } = role
            && cause.replace(index).is_some()
        {
            mistakes.add(&field.ty, "a second cause; write `#[from]` or the name `source` for one field only");
            good = false;
        }
        let member = field.ident.clone().map_or_else(|| Member::from(index), Member::from);
        checked.push(Field {
            name: field.ident.as_ref().map_or_else(|| index.to_string(), |name| name.unraw().to_string()),
            index,
            member,
            binding: format_ident!("f{index}", span = Span::mixed_site()),
            ty: field.ty.clone(),
            role,
        });
    }
    let from = checked.iter().find(|field| matches!(field.role, Role::Cause { from: true }));
    if let Some(field) = from.filter(|_| good && checked.len() > 1) {
        mistakes
            .add(&field.ty, "`#[from]` beside other fields, whose values nobody knows; remove `#[from]`, or the other fields");
        good = false;
    }
    good.then_some(checked)
}

fn role(index: usize, field: &syn::Field, internal: bool, mistakes: &mut Mistakes) -> Option<Role> {
    if let Some(from) = field.attrs.iter().find(|attribute| attribute.path().is_ident("from")) {
        if !matches!(from.meta, Meta::Path(_)) {
            mistakes.add(from.path(), "`#[from]` takes no options; write `#[from]` alone");
            return None;
        }
        return Some(Role::Cause { from: true });
    }
    let attribute = field.attrs.iter().find(|attribute| attribute.path().is_ident("rpc_error"));
    let options = match attribute {
        None => Options::none(TokenStream::new()),
        Some(attribute) => Options::of(attribute, &["rename", "skip"], mistakes),
    };
    let skip = options.flag("skip", mistakes).is_some();
    let name = field.ident.as_ref().map(|name| name.unraw().to_string());
    if name.as_deref() == Some("source") {
        return Some(Role::Cause { from: false });
    }
    if skip || internal {
        return Some(Role::Kept);
    }
    let name = match (options.find("rename"), name) {
        (Some(_), _) => word(options.value("rename", "\"name\"", mistakes)?, "rename", mistakes)?,
        (None, Some(name)) => name,
        (None, None) => {
            let ty = &field.ty;
            let text = format!(
                "field {index} has no name for clients; write `{{ name: {} }}`, or `#[rpc_error(rename = \"…\")]` before it",
                quote!(#ty)
            );
            mistakes.add(ty, text);
            return None;
        }
    };
    Some(Role::Data(name))
}

impl Field {
    /// What clients call it, if they get it.
    pub(crate) fn on_the_wire(&self) -> &str {
        if let Role::Data(name) = &self.role { name } else { &self.name }
    }

    /// Where its type is written.
    pub(crate) fn place(&self) -> Span {
        self.ty.span()
    }
}
