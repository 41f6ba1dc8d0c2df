//! The names of methods and topics on the wire: words `[a-z][a-z0-9_]*`, joined by dots, unless the block asks
//! for any.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, ext::IdentExt};

use crate::{mistakes::Mistakes, options::Options};

/// What clients and servers say to each other, whatever the services.
const PROTOCOL: &[&str] =
    &["wslink.binary.attachment", "wslink.cancel", "wslink.hello", "wslink.manifest", "wslink.subscribe", "wslink.unsubscribe"];

/// What clients may subscribe to is no longer.
const LONGEST: usize = 1024;

/// A URI as the user wrote it, known to be good.
#[derive(Clone)]
pub(crate) struct Uri(LitStr);

impl Uri {
    /// The first thing in the attribute; `example` is what could stand there.
    pub(crate) fn of(options: &Options, example: &str, style: UriStyle, mistakes: &mut Mistakes) -> Option<Self> {
        let [first, surplus @ ..] = options.positional() else {
            options.missing(&format!("the URI is missing; write it, such as `\"{example}\"`, in parentheses"), mistakes);
            return None;
        };
        for surplus in surplus {
            mistakes.add(surplus, "a second URI; write one `fn` or `const` for each");
        }
        let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = ungrouped(first) else {
            mistakes.add(first, format!("the URI is not a string literal; write it out, such as `\"{example}\"`"));
            return None;
        };
        let uri = literal.value();
        let problem = match style {
            UriStyle::Words => {
                wrong_with(&uri).map(|problem| format!("{problem}; {}{}", correction(&uri, example), opt_in(&uri)))
            }
            UriStyle::Any => impossible(&uri).map(|problem| format!("{problem}; write for example `{example}`")),
        };
        match problem {
            Some(problem) => {
                mistakes.add(literal, problem);
                None
            }
            None => Some(Self(literal.clone())),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.0.value()
    }

    pub(crate) fn span(&self) -> Span {
        self.0.span()
    }
}

impl ToTokens for Uri {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// What `macro_rules!` hands on as `$uri:literal` comes in an invisible group.
fn ungrouped(mut expr: &Expr) -> &Expr {
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    expr
}

/// Which texts are URIs.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum UriStyle {
    /// Words `[a-z][a-z0-9_]*`, joined by dots.
    #[default]
    Words,
    /// Whatever existing pages call.
    Any,
}

/// What no client could call or subscribe to, in any style.
fn impossible(uri: &str) -> Option<String> {
    if uri.is_empty() {
        return Some("the URI is empty".to_owned());
    }
    if uri.len() > LONGEST {
        return Some(format!("the URI has more than {LONGEST} bytes"));
    }
    if uri.chars().any(char::is_control) {
        return Some("the URI has a control character in it".to_owned());
    }
    PROTOCOL.contains(&uri).then(|| format!("`{uri}` is a message of the protocol"))
}

/// How to keep a name that only breaks the rules of style.
fn opt_in(uri: &str) -> &'static str {
    let keeps = impossible(uri).is_none() && !uri.split('.').any(str::is_empty);
    if keeps { ", or `#[service(uri_style = any)]` above the block if existing pages use this name" } else { "" }
}

fn wrong_with(uri: &str) -> Option<String> {
    if let Some(problem) = impossible(uri) {
        return Some(problem);
    }
    uri.split('.').find_map(|word| match word.chars().next() {
        None => Some("the URI has an empty word between dots".to_owned()),
        Some(first) if !first.is_ascii_lowercase() => {
            Some(format!("the URI's word `{word}` starts with `{first}`, not with a small letter"))
        }
        Some(_) => {
            let wrong = word.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_'))?;
            Some(format!("the URI has `{wrong}` in it, but words are small letters, digits and `_`, joined by dots"))
        }
    })
}

fn correction(uri: &str, example: &str) -> String {
    let corrected = corrected(uri);
    match wrong_with(&corrected) {
        None => format!("write `{corrected}`"),
        Some(_) => format!("write for example `{example}`"),
    }
}

/// `my.getImage` → `my.get_image`, `my/image` → `my.image`, `my..image` → `my.image`.
fn corrected(uri: &str) -> String {
    let words = uri.split(['.', '/', ':']).map(snake_case).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(".")
}

/// `getImage` → `get_image`, `RPCCall` → `rpc_call`, `get-image` → `get_image`.
pub(crate) fn snake_case(word: &str) -> String {
    let letters: Vec<char> = word.trim().chars().collect();
    let mut snake = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || before.is_uppercase() && letters.get(at + 1).is_some_and(|next| next.is_lowercase())
            });
        if starts_word {
            snake.push('_');
        }
        snake.extend(if letter.is_alphanumeric() { letter.to_lowercase().collect() } else { vec!['_'] });
    }
    snake
}

/// A URI that would suit `item` of `service`.
pub(crate) fn example(service: &str, item: &Ident) -> String {
    format!("{}.{}", snake_case(service), item.unraw().to_string().to_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    /// What people write, and anything else.
    fn text() -> impl Strategy<Value = String> {
        let letters = || proptest::sample::select(vec!['a', 'b', 'Z', 'Q', '.', '/', ':', '_', '-', ' ', '1', 'é', 'İ', 'ß']);
        let likely = proptest::collection::vec(letters(), 0..12).prop_map(|letters| letters.into_iter().collect());
        prop_oneof![likely, any::<String>()]
    }

    proptest! {
        #[test]
        fn a_correction_is_right_or_not_offered(uri in text()) {
            let offered = correction(&uri, "a.b");
            let offered = offered.split('`').nth(1).unwrap();
            prop_assert_eq!(wrong_with(offered), None);
        }

        #[test]
        fn what_is_right_stays_as_it_is(uri in text()) {
            if wrong_with(&uri).is_none() {
                prop_assert!(uri.split('.').all(|word| word.starts_with(|c: char| c.is_ascii_lowercase())));
                prop_assert_eq!(corrected(&uri), uri);
            }
        }
    }
}
