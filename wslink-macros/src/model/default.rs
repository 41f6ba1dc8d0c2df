//! The default of a parameter, and how the manifest shows it.

use quote::ToTokens;
use syn::{Expr, ExprLit, ExprUnary, Ident, Lit, UnOp};

/// `#[arg(default)]` or `#[arg(default = …)]`
pub(crate) struct DefaultValue {
    pub(crate) key: Ident,
    pub(crate) value: Option<Expr>,
}

impl DefaultValue {
    /// A JSON value where the source has a plain one, else the source itself.
    pub(crate) fn text(&self) -> String {
        match &self.value {
            None => "Default::default()".to_owned(),
            Some(value) => json(value).unwrap_or_else(|| value.to_token_stream().to_string()),
        }
    }
}

/// What is a literal but for its conversion into an owned value.
fn json(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => literal(lit),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => Some(format!("-{}", json(expr)?)),
        Expr::MethodCall(call) if call.args.is_empty() => {
            let converts = ["into", "to_owned", "to_string"].iter().any(|name| call.method == name);
            json(&call.receiver).filter(|text| converts && text.starts_with('"'))
        }
        Expr::Call(call) if call.args.len() == 1 => {
            let function = call.func.to_token_stream().to_string().replace(' ', "");
            json(call.args.first()?).filter(|_| matches!(function.as_str(), "Some" | "String::from"))
        }
        Expr::Path(path) => path.path.is_ident("None").then(|| "null".to_owned()),
        _ => None,
    }
}

fn literal(literal: &Lit) -> Option<String> {
    match literal {
        Lit::Str(text) => Some(quoted(&text.value())),
        Lit::Bool(value) => Some(value.value.to_string()),
        Lit::Int(number) => Some(number.base10_digits().to_owned()),
        // `1.` is a number in Rust only.
        Lit::Float(number) => Some(number.base10_digits().to_owned()).filter(|digits| !digits.ends_with('.')),
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn plain_values_are_json_and_others_their_source() {
        for (value, text) in [
            (parse_quote!(90_u8), "90"),
            (parse_quote!(-0.5), "-0.5"),
            (parse_quote!(true), "true"),
            (parse_quote!("a\"b\n".to_owned()), r#""a\"b\u000a""#),
            (parse_quote!(Some(String::from("png"))), r#""png""#),
            (parse_quote!(None), "null"),
            (parse_quote!(Kind::Png), "Kind :: Png"),
            (parse_quote!(make(1)), "make (1)"),
        ] {
            assert_eq!(DefaultValue { key: parse_quote!(default), value: Some(value) }.text(), text);
        }
    }
}
