//! The options of `#[service]` itself.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Runtime;
use crate::{mistakes::Mistakes, options::Options};

/// `#[service(client, crate = path, ordered, schema)]`
pub(crate) struct Settings {
    pub(crate) runtime: Runtime,
    /// A typed client is wanted.
    pub(crate) client: Option<Ident>,
    /// The calls of one connection wait for each other.
    pub(crate) ordered: bool,
    /// Every type must have a schema.
    pub(crate) schema: Option<Ident>,
}

impl Settings {
    pub(crate) fn check(options: TokenStream, mistakes: &mut Mistakes) -> Self {
        let options = Options::read(quote!(service), options, &["client", "crate", "ordered", "schema"], mistakes);
        for surplus in options.positional() {
            mistakes.add(surplus, "a service has no URI of its own; write each method's whole URI in its `#[rpc(\"…\")]`");
        }
        Self {
            client: options.flag("client", mistakes).cloned(),
            ordered: options.flag("ordered", mistakes).is_some(),
            schema: options.flag("schema", mistakes).cloned(),
            runtime: Runtime::of(&options, mistakes),
        }
    }
}
