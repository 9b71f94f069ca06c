//! A struct with named fields: a table.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{Field, FieldsNamed, Ident};

use crate::attributes::{self, Attributes, Default};

pub(crate) fn expand(name: &Ident, named: &FieldsNamed) -> syn::Result<TokenStream> {
    let fields: Vec<Reading> = named.named.iter().map(Reading::of).collect::<syn::Result<_>>()?;
    let idents = fields.iter().map(|field| &field.ident);
    let locals: Vec<Ident> =
        fields.iter().map(|field| format_ident!("field_{}", field.name)).collect();
    let (described, read) = (fields.iter().map(|f| &f.described), fields.iter().map(|f| &f.read));
    Ok(quote! {
        #[automatically_derived]
        impl ::exeunt_api::settings::Setting for #name {
            const SHAPE: ::exeunt_api::settings::Shape =
                ::exeunt_api::settings::Shape::Table(&[#(#described),*]);

            fn read(value: ::exeunt_api::Value<'_>) -> ::core::option::Option<Self> {
                let mut table = ::exeunt_api::settings::Table::open(
                    value,
                    <Self as ::exeunt_api::settings::Setting>::SHAPE.fields(),
                )?;
                #(let #locals = #read;)*
                table.close()?;
                ::core::option::Option::Some(Self { #(#idents: #locals?),* })
            }
        }

        #[automatically_derived]
        impl ::exeunt_api::settings::Settings for #name {}
    })
}

/// One field: its name, its description, and the expression that reads it.
struct Reading {
    ident: Ident,
    name: String,
    described: TokenStream,
    read: TokenStream,
}

impl Reading {
    fn of(field: &Field) -> syn::Result<Self> {
        let Some(ident) = field.ident.clone() else {
            return Err(syn::Error::new_spanned(field, "the fields of settings have names"));
        };
        let (name, kind) = (ident.unraw().to_string(), &field.ty);
        let attributes = Attributes::of(&field.attrs)?;
        let (doc, secret) = (attributes::doc(&field.attrs), attributes.secret);
        let setting = quote!(<#kind as ::exeunt_api::settings::Setting>);
        let (read, required, default) = match &attributes.default {
            None => (
                quote!(table.required::<#kind>(#name)),
                quote!(!#setting::OPTIONAL),
                quote!("null"),
            ),
            Some(Default::OfType) => (
                quote!(table.or::<#kind>(#name, ::core::default::Default::default)),
                quote!(false),
                quote!(#setting::DEFAULT),
            ),
            Some(Default::Is(default)) => {
                let value = attributes::value(default);
                let json = attributes::json(default).unwrap_or_else(|| "null".to_owned());
                (quote!(table.or::<#kind>(#name, || #value)), quote!(false), quote!(#json))
            }
        };
        let described = quote! {
            ::exeunt_api::settings::Field {
                name: #name,
                shape: &#setting::SHAPE,
                required: #required,
                default: #default,
                secret: #secret,
                doc: #doc,
            }
        };
        Ok(Self { ident, name, described, read })
    }
}
