//! The path of the runtime crate in generated code.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, Path};

use super::externs::{self, Found};
use crate::{mistakes::Mistakes, options::Options};

/// The path of the runtime crate: `crate = path`, or `::wslink`.
pub(crate) struct Runtime {
    path: Option<Path>,
    missing: bool,
}

impl Runtime {
    /// Of the option `crate` of `attribute`.
    pub(crate) fn of(options: &Options, attribute: &str, mistakes: &mut Mistakes) -> Self {
        let path = match options.value("crate", "my::wslink", mistakes) {
            Some(Expr::Path(path)) => Some(path.path.clone()),
            Some(other) => {
                mistakes.add(other, "`crate` is not a path; write `crate = my::wslink`, without quotes");
                None
            }
            None => None,
        };
        let asked = path.is_some() || options.find("crate").is_some();
        let found = if asked || !proc_macro::is_available() { Found::AsUsual } else { externs::find(std::env::args()) };
        let text = match &found {
            Found::AsUsual => return Self { path, missing: false },
            Found::As(name) => format!("here the crate `wslink` is called `{name}`; write `#[{attribute}(crate = ::{name})]`"),
            Found::Nowhere => format!(
                "no dependency is called `wslink`; add it to `Cargo.toml`, or write `#[{attribute}(crate = path)]` with the path \
                 by which another crate re-exports it, such as `crate = my::wslink`"
            ),
        };
        mistakes.add_error(syn::Error::new(Span::call_site(), text));
        Self { path, missing: true }
    }

    /// Whether there is none, so that nothing can be generated.
    pub(crate) const fn is_missing(&self) -> bool {
        self.missing
    }

    /// What generated code may use, for code that stands at `span`.
    pub(crate) fn private(&self, span: Span) -> TokenStream {
        match &self.path {
            None => quote_spanned!(span=> ::wslink::__private),
            Some(path) => quote!(#path::__private),
        }
    }
}
