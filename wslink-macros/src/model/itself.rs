//! `Self` in a signature, written as the service's type: generated code stands outside of the block, where
//! the word would mean something else or nothing.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{PathArguments, Signature, Type};

use super::ungrouped;

/// The service's type, in a form that stands for `Self` in types and in expressions.
pub(crate) struct Itself(TokenStream);

impl Itself {
    pub(super) fn of(ty: &Type) -> Self {
        let Type::Path(path) = ungrouped(ty) else { return Self(ty.to_token_stream()) };
        let mut path = path.clone();
        for segment in &mut path.path.segments {
            if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                // `Render::<u8>` is a type and an expression, `Render<u8>` a type only.
                arguments.colon2_token.get_or_insert_with(Default::default);
            }
        }
        Self(path.into_token_stream())
    }

    /// The type with it, when it can be read then.
    pub(super) fn in_type(&self, ty: &Type) -> Type {
        syn::parse2(self.written(ty.to_token_stream())).unwrap_or_else(|_| ty.clone())
    }

    pub(super) fn in_signature(&self, signature: &Signature) -> Signature {
        let tokens = signature.to_token_stream();
        if !mentioned(tokens.clone()) {
            return signature.clone();
        }
        syn::parse2(self.written(tokens)).unwrap_or_else(|_| signature.clone())
    }

    fn written(&self, tokens: TokenStream) -> TokenStream {
        let written = tokens.into_iter().map(|token| match token {
            TokenTree::Ident(word) if word == "Self" => {
                // What is wrong with the type there is wrong at the word. `$crate` finds its crate by its place.
                let here = |mut token: TokenTree| {
                    if token.to_string() != "$crate" {
                        token.set_span(word.span());
                    }
                    token
                };
                self.0.clone().into_iter().map(here).collect()
            }
            TokenTree::Group(group) => {
                let mut written = Group::new(group.delimiter(), self.written(group.stream()));
                written.set_span(group.span());
                TokenTree::from(written).into()
            }
            other => TokenStream::from(other),
        });
        written.collect()
    }
}

fn mentioned(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "Self",
        TokenTree::Group(group) => mentioned(group.stream()),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn the_word_becomes_the_type_everywhere() {
        let itself = Itself::of(&parse_quote!(my::Render<u8>));
        let signature = parse_quote!(fn f(&self, #[arg(default = Self { n: Self::N })] a: [Self; Self::N]) -> Vec<Self>);
        let written = itself.in_signature(&signature).to_token_stream().to_string();
        let expected: Signature = parse_quote!(
            fn f(
                &self,
                #[arg(default = my::Render::<u8> { n: my::Render::<u8>::N })] a: [my::Render::<u8>; my::Render::<u8>::N],
            ) -> Vec<my::Render::<u8>>
        );
        assert_eq!(written.replace(" ,)", ")"), quote!(#expected).to_string().replace(" ,)", ")"));
    }
}
