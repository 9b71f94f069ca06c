//! An enum of unit variants: one text of several.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataEnum, Error, Fields, Ident};

use crate::attributes;

pub(crate) fn expand(name: &Ident, data: &DataEnum) -> syn::Result<TokenStream> {
    if let Some(other) =
        data.variants.iter().find(|variant| !matches!(variant.fields, Fields::Unit))
    {
        return Err(Error::new_spanned(other, "a choice of settings has no fields"));
    }
    let variants = data.variants.iter().map(|variant| &variant.ident);
    let texts = data.variants.iter().map(|variant| kebab(&variant.ident.to_string()));
    let docs = data.variants.iter().map(|variant| attributes::doc(&variant.attrs));
    let indices = 0usize..;
    Ok(quote! {
        #[automatically_derived]
        impl ::exeunt_api::settings::Setting for #name {
            const SHAPE: ::exeunt_api::settings::Shape = ::exeunt_api::settings::Shape::Choice(&[
                #(::exeunt_api::settings::Choice { name: #texts, doc: #docs }),*
            ]);

            fn read(value: ::exeunt_api::Value<'_>) -> ::core::option::Option<Self> {
                let choices = <Self as ::exeunt_api::settings::Setting>::SHAPE.choices();
                match ::exeunt_api::settings::choice(value, choices)? {
                    #(#indices => ::core::option::Option::Some(Self::#variants),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}

/// `VeryQuiet` as `very-quiet`.
fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::kebab;

    #[test]
    fn variants_are_written_in_kebab_case() {
        assert_eq!(kebab("Off"), "off");
        assert_eq!(kebab("VeryQuiet"), "very-quiet");
    }
}
