//! Where generated code finds the runtime crate.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, Path};

use crate::{mistakes::Mistakes, options::Options};

/// The path of the runtime crate: `crate = path`, or `::wslink`.
pub(crate) struct Runtime(Option<Path>);

impl Runtime {
    /// Of the option `crate`.
    pub(crate) fn of(options: &Options, mistakes: &mut Mistakes) -> Self {
        match options.value("crate", "my::wslink", mistakes) {
            None => Self(None),
            Some(Expr::Path(path)) => Self(Some(path.path.clone())),
            Some(other) => {
                mistakes.add(other, "`crate` is not a path; write `crate = my::wslink`, without quotes");
                Self(None)
            }
        }
    }

    /// What generated code may use, for code that stands at `span`.
    pub(crate) fn private(&self, span: Span) -> TokenStream {
        match &self.0 {
            None => quote_spanned!(span=> ::wslink::__private),
            Some(path) => quote!(#path::__private),
        }
    }
}
