//! `#[derive(Settings)]`, for settings of modules. Its documentation is that of the trait
//! `exeunt_api::settings::Settings`.

mod attributes;
mod choices;
mod fields;

use proc_macro::TokenStream;
use syn::{Data, DeriveInput, Error, Fields, parse_macro_input};

/// Reads a struct with named fields from a table, or an enum of unit variants from text; see the trait
/// `Settings`.
#[proc_macro_derive(Settings, attributes(settings))]
pub fn derive_settings(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(input: &DeriveInput) -> syn::Result<proc_macro2::TokenStream> {
    if let Some(generic) = input.generics.params.first() {
        return Err(Error::new_spanned(generic, "settings are not generic"));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(named) => fields::expand(&input.ident, named),
            other => Err(Error::new_spanned(other, "the fields of settings have names")),
        },
        Data::Enum(data) => choices::expand(&input.ident, data),
        Data::Union(data) => {
            Err(Error::new_spanned(data.union_token, "settings are a struct or an enum"))
        }
    }
}
