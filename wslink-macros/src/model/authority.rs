//! The rules of `require = "…"`: one authority, written out.

use syn::{Expr, ExprLit, Lit, LitStr};

use crate::{mistakes::Mistakes, options::Options};

/// What a caller or subscriber must have.
pub(super) fn authority(options: &Options, mistakes: &mut Mistakes) -> Option<LitStr> {
    let value = options.value("require", "\"editor\"", mistakes)?;
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => match literal.value().trim() {
            "" => mistakes.add(literal, "the authority is empty; write one, such as `\"editor\"`, or remove `require`"),
            trimmed if trimmed != literal.value() => {
                mistakes.add(literal, format!("the authority has spaces around it; write `\"{trimmed}\"`"));
            }
            _ => return Some(literal.clone()),
        },
        Expr::Array(_) | Expr::Tuple(_) | Expr::Binary(_) => {
            mistakes.add(value, "one authority is required; write one, and grant it to everybody who may");
        }
        _ => mistakes.add(value, "the authority is not a string literal; write it out, such as `require = \"editor\"`"),
    }
    None
}
