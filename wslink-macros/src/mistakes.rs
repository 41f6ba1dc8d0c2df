//! Collects what is wrong with a block, so that everything is reported at once. Words nothing itself,
//! but for the one sentence that every unknown word shares.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Error;

/// What the user got wrong. Part of every expansion, so no mistake can be forgotten.
#[derive(Default)]
pub(crate) struct Mistakes(Vec<Error>);

impl Mistakes {
    /// Adds "what is wrong; what to write instead", underlining `place`.
    pub(crate) fn add(&mut self, place: impl ToTokens, text: impl std::fmt::Display) {
        self.0.push(Error::new_spanned(place, text));
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn add_error(&mut self, error: Error) {
        self.0.push(error);
    }
}

impl ToTokens for Mistakes {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().map(Error::to_compile_error));
    }
}

/// "did you mean `latest`?" where a known word is near, else the list of them.
pub(crate) fn suggestion(word: &str, known: &[&str]) -> String {
    match known.iter().map(|known| (distance(word, known), known)).min() {
        Some((distance, known)) if distance <= known.len() / 3 + 1 => format!("did you mean `{known}`?"),
        _ => match known {
            [only] => format!("the only one is `{only}`"),
            [firsts @ .., last] => format!("write `{}` or `{last}`", firsts.join("`, `")),
            [] => "remove it".to_owned(),
        },
    }
}

/// Levenshtein's.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
