//! Finds the ends of items that break the syntax of Rust, so that the rest of the block is there while one is typed.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Token, Type, parse::ParseStream};

/// To the end of an item: a `;`, a block, or where the next one begins.
pub(crate) fn skip(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut skipped = TokenStream::new();
    let mut declared = false;
    while !input.is_empty() {
        if declared && begins_item(input) {
            break;
        }
        let token: TokenTree = input.parse()?;
        declared |= matches!(&token, TokenTree::Ident(word) if word == "fn" || word == "const");
        let ends = match &token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            _ => false,
        };
        token.to_tokens(&mut skipped);
        if ends {
            break;
        }
    }
    Ok(skipped)
}

/// `name! { … }`
pub(crate) fn is_call(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == '!'))
}

/// Whether the compiler finds the end of a function whose parameters it cannot read. Where it does not, it gives up
/// the rest of the block, and would say so once more of what comes out of the macro.
pub(crate) fn is_whole(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter().skip_while(|token| !matches!(token, TokenTree::Ident(word) if word == "fn"));
    let is = |token: &TokenTree, delimiter| matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter);
    let (Some(_), Some(TokenTree::Ident(_))) = (tokens.next(), tokens.next()) else { return false };
    let mut rest = tokens.skip_while(|token| !is(token, Delimiter::Parenthesis)).skip(1).peekable();
    match rest.peek() {
        Some(token) if is(token, Delimiter::Brace) => true,
        Some(TokenTree::Punct(dash)) if dash.as_char() == '-' => {
            let returns = rest.skip(2).take_while(|token| !is(token, Delimiter::Brace)).collect();
            syn::parse2::<Type>(returns).is_ok()
        }
        _ => false,
    }
}

/// Whether this declares one of `words`, however incomplete it is.
pub(crate) fn declares(tokens: &TokenStream, words: &[&str]) -> bool {
    let mut lifetime = false;
    tokens.clone().into_iter().any(|token| {
        let found = !lifetime && matches!(&token, TokenTree::Ident(word) if words.iter().any(|known| word == known));
        lifetime = matches!(&token, TokenTree::Punct(quote) if quote.as_char() == '\'');
        found
    })
}

/// Whether something begins here that cannot go on with a constant.
pub(crate) fn begins_item(input: ParseStream<'_>) -> bool {
    input.is_empty()
        || input.peek(Token![#])
        || input.peek(Token![pub])
        || input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![const])
}
