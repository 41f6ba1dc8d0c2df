//! The options of `#[service]` itself.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Expr;

use super::Runtime;
use crate::{mistakes::Mistakes, options::Options, uri::UriStyle};

/// `#[service(client, crate = path, ordered, schema, uri_style = any)]`
pub(crate) struct Settings {
    pub(crate) runtime: Runtime,
    /// A typed client is wanted.
    pub(crate) client: Option<Ident>,
    /// The calls of one connection wait for each other.
    pub(crate) ordered: bool,
    pub(crate) uri_style: UriStyle,
    /// Every type must have a schema.
    pub(crate) schema: Option<Ident>,
}

impl Settings {
    pub(crate) fn check(options: TokenStream, mistakes: &mut Mistakes) -> Self {
        let options = Options::read(quote!(service), options, &["client", "crate", "ordered", "schema", "uri_style"], mistakes);
        for surplus in options.positional() {
            mistakes.add(surplus, "a service has no URI of its own; write each method's whole URI in its `#[rpc(\"…\")]`");
        }
        Self {
            client: options.flag("client", mistakes).cloned(),
            ordered: options.flag("ordered", mistakes).is_some(),
            schema: options.flag("schema", mistakes).cloned(),
            uri_style: uri_style(&options, mistakes),
            runtime: Runtime::of(&options, "service", mistakes),
        }
    }
}

/// `uri_style = any`
fn uri_style(options: &Options, mistakes: &mut Mistakes) -> UriStyle {
    let Some(value) = options.value("uri_style", "any", mistakes) else { return UriStyle::Words };
    if !matches!(value, Expr::Path(path) if path.path.is_ident("any")) {
        mistakes.add(value, "the only other style is `any`; write `uri_style = any`, or leave it out");
    }
    UriStyle::Any
}
