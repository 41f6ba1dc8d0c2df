//! The names of methods and topics on the wire: words `[a-z][a-z0-9_]*`, joined by dots.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, ext::IdentExt};

use crate::{mistakes::Mistakes, options::Options};

/// What clients and servers say to each other, whatever the services.
const PROTOCOL: &[&str] =
    &["wslink.binary.attachment", "wslink.cancel", "wslink.hello", "wslink.manifest", "wslink.subscribe", "wslink.unsubscribe"];

/// A URI as the user wrote it, known to be good.
#[derive(Clone)]
pub(crate) struct Uri(LitStr);

impl Uri {
    /// The first thing in the attribute; `example` is what could stand there.
    pub(crate) fn of(options: &Options, example: &str, mistakes: &mut Mistakes) -> Option<Self> {
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
        match wrong_with(&literal.value()) {
            Some(problem) => {
                mistakes.add(literal, format!("{problem}; {}", correction(&literal.value(), example)));
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

fn wrong_with(uri: &str) -> Option<String> {
    if uri.is_empty() {
        return Some("the URI is empty".to_owned());
    }
    if PROTOCOL.contains(&uri) {
        return Some(format!("`{uri}` is a message of the protocol"));
    }
    uri.split('.').find_map(|word| match word.chars().next() {
        None => Some("the URI has an empty word between dots".to_owned()),
        Some(first) if !first.is_ascii_lowercase() => {
            Some(format!("the URI's word `{word}` starts with `{first}`, not with a small letter"))
        }
        Some(_) => {
            let stranger = word.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_'))?;
            Some(format!("the URI has `{stranger}` in it, but words are small letters, digits and `_`, joined by dots"))
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
