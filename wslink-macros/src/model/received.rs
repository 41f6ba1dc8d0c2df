//! The owned type that a client receives for a borrowed result: `String` for `&str`, `Vec<T>` for `&[T]`, `T` for `&T`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{GenericArgument, Lifetime, PathArguments, ReturnType, Type, TypeParamBound, parse_quote_spanned, spanned::Spanned};

/// The owned form of a type, or the part of it that has none.
pub(super) fn owned(ty: &Type) -> Result<Type, TokenStream> {
    let mut ty = ty.clone();
    own(&mut ty)?;
    Ok(ty)
}

fn own(ty: &mut Type) -> Result<(), TokenStream> {
    match ty {
        Type::Reference(reference) => {
            let mut inner = (*reference.elem).clone();
            own(&mut inner)?;
            *ty = of_reference(inner);
        }
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                match &mut segment.arguments {
                    PathArguments::AngleBracketed(arguments) => {
                        for argument in &mut arguments.args {
                            match argument {
                                GenericArgument::Type(ty) => own(ty)?,
                                GenericArgument::AssocType(assoc) => own(&mut assoc.ty)?,
                                GenericArgument::Lifetime(lifetime) => *lifetime = statically(lifetime),
                                _ => {}
                            }
                        }
                    }
                    PathArguments::Parenthesized(arguments) => {
                        if let ReturnType::Type(_, ty) = &mut arguments.output {
                            own(ty)?;
                        }
                    }
                    PathArguments::None => {}
                }
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter_mut().try_for_each(own)?,
        Type::Array(array) => own(&mut array.elem)?,
        Type::Slice(slice) => own(&mut slice.elem)?,
        Type::Group(group) => own(&mut group.elem)?,
        Type::Paren(paren) => own(&mut paren.elem)?,
        Type::TraitObject(object) => return Err(object.to_token_stream()),
        _ => {}
    }
    Ok(())
}

fn of_reference(inner: Type) -> Type {
    let span = inner.span();
    match super::ungrouped(&inner) {
        Type::Slice(slice) => {
            let element = &slice.elem;
            parse_quote_spanned!(span=> __rt::Vec<#element>)
        }
        Type::Path(path) => match path.path.segments.last() {
            Some(last) if last.ident == "str" => parse_quote_spanned!(span=> __rt::String),
            Some(last) if last.ident == "Path" => parse_quote_spanned!(span=> __rt::PathBuf),
            _ => inner,
        },
        _ => inner,
    }
}

fn statically(lifetime: &Lifetime) -> Lifetime {
    Lifetime::new("'static", lifetime.span())
}

/// The type where the method's own lifetimes have no names.
pub(super) fn anonymous(ty: &Type, lifetimes: &[&Lifetime]) -> Type {
    if lifetimes.is_empty() {
        return ty.clone();
    }
    let mut ty = ty.clone();
    rename(&mut ty, lifetimes);
    ty
}

fn rename(ty: &mut Type, lifetimes: &[&Lifetime]) {
    let anonymous = |lifetime: &mut Lifetime| {
        if lifetimes.iter().any(|known| known.ident == lifetime.ident) {
            *lifetime = Lifetime::new("'_", lifetime.span());
        }
    };
    match ty {
        Type::Reference(reference) => {
            reference.lifetime.iter_mut().for_each(anonymous);
            rename(&mut reference.elem, lifetimes);
        }
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { continue };
                for argument in &mut arguments.args {
                    match argument {
                        GenericArgument::Type(ty) => rename(ty, lifetimes),
                        GenericArgument::AssocType(assoc) => rename(&mut assoc.ty, lifetimes),
                        GenericArgument::Lifetime(lifetime) => anonymous(lifetime),
                        _ => {}
                    }
                }
            }
        }
        Type::TraitObject(object) => {
            for bound in &mut object.bounds {
                if let TypeParamBound::Lifetime(lifetime) = bound {
                    anonymous(lifetime);
                }
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(|ty| rename(ty, lifetimes)),
        Type::Array(array) => rename(&mut array.elem, lifetimes),
        Type::Slice(slice) => rename(&mut slice.elem, lifetimes),
        Type::Group(group) => rename(&mut group.elem, lifetimes),
        Type::Paren(paren) => rename(&mut paren.elem, lifetimes),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn what_is_lent_is_received_as_owned() {
        for (lent, received) in [
            (parse_quote!(&str), parse_quote!(__rt::String)),
            (parse_quote!(Option<&'a [&'a str]>), parse_quote!(Option<__rt::Vec<__rt::String>>)),
            (parse_quote!((&Size, Cow<'_, str>)), parse_quote!((Size, Cow<'static, str>))),
            (parse_quote!(HashMap<&str, &[u8; 3]>), parse_quote!(HashMap<__rt::String, [u8; 3]>)),
            (parse_quote!(Vec<u8>), parse_quote!(Vec<u8>)),
        ] {
            let (received, lent): (Type, Type) = (received, lent);
            assert_eq!(owned(&lent).unwrap().to_token_stream().to_string(), received.to_token_stream().to_string());
        }
        assert!(owned(&parse_quote!(Box<dyn Shape>)).is_err());
    }

    #[test]
    fn only_the_methods_own_lifetimes_lose_their_names() {
        let own: Lifetime = parse_quote!('a);
        let ty = anonymous(&parse_quote!(Option<(&'a str, Cow<'static, str>)>), &[&own]);
        assert_eq!(ty.to_token_stream().to_string(), "Option < (& '_ str , Cow < 'static , str >) >");
    }
}
