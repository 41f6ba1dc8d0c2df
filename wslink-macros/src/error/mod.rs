//! `#[derive(RpcError)]`: from the type to what clients are told of each of its variants.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use self::model::ErrorType;
use crate::mistakes::Mistakes;

mod expand;
mod message;
mod model;
mod variant;

/// The expansion of the derive.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut mistakes = Mistakes::default();
    let checked = ErrorType::check(&input, &mut mistakes);
    let code = match checked {
        Some(error) if error.runtime.is_missing() => TokenStream::new(),
        Some(error) if mistakes.is_empty() => expand::implementations(&error),
        Some(error) => expand::stand_in(&error),
        None => TokenStream::new(),
    };
    quote!(#code #mistakes)
}
