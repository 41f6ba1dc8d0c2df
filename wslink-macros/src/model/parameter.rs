//! The rules of parameters: each is owned, has a name on the wire, and perhaps a default. Whether it is
//! an argument or context is for its type to say, not for the macro.

use std::collections::HashMap;

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Expr, ExprLit, FnArg, Ident, Lit, Meta, Pat, PatType, Signature, Type, ext::IdentExt};

use super::{DefaultValue, carried};
use crate::{
    mistakes::Mistakes,
    options::Options,
    parse::{args, is_serde},
};

/// One parameter but for the receiver.
pub(crate) struct Parameter {
    /// On the wire.
    pub(crate) name: String,
    /// In the source, or as good.
    pub(crate) binding: Ident,
    pub(crate) ty: Type,
    /// The lints that the user has allowed on it.
    pub(crate) allowed: Vec<TokenStream>,
    /// Where the source says that it is no argument.
    pub(crate) context: Option<Ident>,
    /// What stands for an argument that is not given.
    pub(crate) default: Option<DefaultValue>,
}

/// What the types are called that come from the server.
const CONTEXT: [&str; 6] = ["Cancel", "Client", "Handshake", "Principal", "Progress", "Publisher"];

impl Parameter {
    /// Whether it looks like one that is not on the wire.
    pub(crate) fn is_context(&self) -> bool {
        self.context.is_some() || self.type_name().is_some_and(|name| CONTEXT.iter().any(|known| name == known))
    }

    /// Whether it looks like one that takes what the others leave over.
    pub(crate) fn is_rest(&self) -> bool {
        self.context.is_none() && self.type_name().is_some_and(|name| name == "Args")
    }

    fn type_name(&self) -> Option<&Ident> {
        let Type::Path(path) = super::ungrouped(&self.ty) else { return None };
        path.path.segments.last().map(|last| &last.ident)
    }

    /// All of them, or nothing when one is wrong.
    pub(super) fn all(signature: &Signature, mistakes: &mut Mistakes) -> Option<Vec<Self>> {
        let mut parameters = Some(Vec::new());
        let mut names = HashMap::new();
        for input in &signature.inputs {
            let FnArg::Typed(typed) = input else {
                for attribute in args(input) {
                    mistakes.add(attribute.path(), "`#[arg]` on the receiver, which is no argument; remove it");
                }
                continue;
            };
            let options = options(input, mistakes);
            let parameter = options.and_then(|options| Self::check(typed, &options, &mut names, mistakes));
            parameters = parameters.zip(parameter).map(|(mut all, one)| {
                all.push(one);
                all
            });
        }
        parameters
    }

    fn check(input: &PatType, options: &Options, names: &mut HashMap<String, bool>, mistakes: &mut Mistakes) -> Option<Self> {
        let default = options.find("default").map(|(key, value)| DefaultValue { key: key.clone(), value: value.cloned() });
        let context = options.flag("context", mistakes).cloned();
        if let Some((other, _)) = ["default", "rename"].iter().find_map(|key| options.find(key)).filter(|_| context.is_some()) {
            mistakes.add(other, format!("`{other}` beside `context`, which is no argument; remove one of them"));
        }
        let name = wire_name(&input.pat, options, mistakes);
        let owned = owned(&input.ty, mistakes);
        let (name, place) = name?;
        let renamed = options.find("rename").is_some();
        if let Some(earlier) = names.insert(name.clone(), renamed) {
            // Of two equal names in the source the compiler itself complains.
            if earlier || renamed {
                mistakes.add(place, format!("another parameter is called `{name}` on the wire; write another name"));
            }
            return None;
        }
        let binding = match &*input.pat {
            Pat::Ident(pattern) => pattern.ident.clone(),
            _ => format_ident!("_{name}"),
        };
        owned.then(|| Self { name, binding, ty: (*input.ty).clone(), allowed: carried(&input.attrs), context, default })
    }
}

/// The `#[arg(…)]` of a parameter, which may be missing.
fn options(input: &FnArg, mistakes: &mut Mistakes) -> Option<Options> {
    if let FnArg::Typed(PatType { attrs, .. }) = input
        && let Some(cfg) = attrs.iter().find(|attribute| attribute.path().is_ident("cfg"))
    {
        mistakes.add(cfg.path(), "`#[cfg]` on a parameter; write `#[cfg]` on the method, once for each form of it");
        return None;
    }
    if let FnArg::Typed(PatType { attrs, .. }) = input
        && let Some(serde) = attrs.iter().find(|attribute| is_serde(attribute))
    {
        let inside = serde.meta.to_token_stream().to_string();
        let form = ["default", "rename"].into_iter().find(|word| inside.contains(word));
        let form = match form {
            Some("default") => "write `#[arg(default)]`",
            Some(_) => "write `#[arg(rename = \"…\")]`",
            None => "write it on a field of the type, or remove it",
        };
        mistakes.add(serde.path(), format!("`#[serde]` is for the fields of a type, and this is a parameter; {form}"));
        return None;
    }
    let mut ours = args(input);
    let Some(first) = ours.next() else {
        return Some(Options::none(TokenStream::new()));
    };
    for surplus in ours {
        mistakes.add(surplus.path(), "a second `#[arg]`; write all options in one");
    }
    let options = Options::of(first, &["context", "default", "rename"], mistakes);
    if matches!(first.meta, Meta::Path(_)) {
        mistakes
            .add(first.path(), "`#[arg]` says nothing; write `#[arg(default = …)]` or `#[arg(rename = \"…\")]`, or remove it");
    }
    for surplus in options.positional() {
        let text =
            format!("`#[arg]` takes options only; write `#[arg(default = {0})]` or `#[arg(rename = \"…\")]`", quote!(#surplus));
        mistakes.add(surplus, text);
    }
    Some(options)
}

/// The name, and where it is written.
fn wire_name(pattern: &Pat, options: &Options, mistakes: &mut Mistakes) -> Option<(String, TokenStream)> {
    let own = match pattern {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => Some(&pattern.ident),
        Pat::Wild(_) => None,
        other => {
            mistakes.add(other, "a pattern instead of a name; name the parameter, and take it apart in the body");
            return None;
        }
    };
    if options.find("rename").is_some() {
        return renamed(options.value("rename", "\"name\"", mistakes)?, mistakes);
    }
    match own {
        Some(name) => Some((name.unraw().to_string(), name.to_token_stream())),
        None => {
            mistakes.add(pattern, "the parameter has no name, but arguments are given by name too; write one, such as `_unused`");
            None
        }
    }
}

fn renamed(value: &Expr, mistakes: &mut Mistakes) -> Option<(String, TokenStream)> {
    let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = value else {
        mistakes.add(value, "`rename` is not a string literal; write `rename = \"name\"`");
        return None;
    };
    let name = literal.value();
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    if name.starts_with(starts) && name.chars().all(|c| starts(c) || c.is_ascii_digit()) {
        Some((name, literal.to_token_stream()))
    } else {
        mistakes.add(literal, "not a name; write letters, digits and `_`, and no digit in front");
        None
    }
}

pub(super) fn owned(ty: &Type, mistakes: &mut Mistakes) -> bool {
    let text = match super::ungrouped(ty) {
        Type::Reference(reference) => format!("arguments are owned, not borrowed; write `{}`", owner(&reference.elem)),
        Type::ImplTrait(_) => {
            "`impl Trait` leaves the type open, but the arguments' types are the contract; write a concrete type".into()
        }
        _ => match borrowed(ty) {
            None => return true,
            Some(place) => {
                mistakes
                    .add(place, "the type borrows, but arguments are owned; write an owned type, such as `String` for `&str`");
                return false;
            }
        },
    };
    mistakes.add(ty, text);
    false
}

/// What to take in place of `&ty`.
fn owner(ty: &Type) -> String {
    let ty = super::ungrouped(ty);
    let last = if let Type::Path(path) = ty { path.path.segments.last() } else { None };
    match (ty, last) {
        (Type::Slice(slice), _) => match quote!(#slice).to_string().as_str() {
            "[u8]" => "Attachment` for binary data, or `Vec<u8>".to_owned(),
            _ => format!("Vec<{}>", compact(&slice.elem)),
        },
        (_, Some(last)) if last.ident == "str" => "String".to_owned(),
        (_, Some(last)) if last.ident == "Path" => "PathBuf".to_owned(),
        _ => compact(ty),
    }
}

fn compact(ty: &Type) -> String {
    quote!(#ty).to_string().replace(' ', "")
}

/// The first `&` or lifetime in `ty` that is not `'static`.
pub(super) fn borrowed(ty: &Type) -> Option<TokenStream> {
    find(ty.to_token_stream())
}

fn find(tokens: TokenStream) -> Option<TokenStream> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match (&token, tokens.peek()) {
            (TokenTree::Punct(quote), Some(TokenTree::Ident(name))) if quote.as_char() == '\'' && name != "static" => {
                let name = tokens.next();
                return Some(quote!(#token #name));
            }
            (TokenTree::Punct(and), Some(TokenTree::Punct(quote))) if and.as_char() == '&' && quote.as_char() == '\'' => {}
            (TokenTree::Punct(and), _) if and.as_char() == '&' => return Some(token.into_token_stream()),
            (TokenTree::Group(group), _) => {
                if let Some(found) = find(group.stream()) {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    None
}
