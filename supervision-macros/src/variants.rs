//! `#[derive(ErrorVariants)]`: the variants of an error enum by name.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use crate::{emit::runtime, errors::Errors, parse};

/// The expansion, or what is wrong.
pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let given = parse::error_variants(&input.attrs, &mut errors);
    let names = match &input.data {
        Data::Enum(data) => data.variants.iter().map(|variant| &variant.ident).collect(),
        Data::Struct(_) | Data::Union(_) => {
            errors.at(input.ident.span(), "only an enum has variants to name");
            Vec::new()
        }
    };
    let runtime = runtime(given.as_ref());
    let (params, args, bounds) = input.generics.split_for_impl();
    let name = &input.ident;
    let texts = names
        .iter()
        .map(|name| syn::ext::IdentExt::unraw(*name).to_string());
    let body = if names.is_empty() && errors.is_empty() {
        quote!(match *self {})
    } else if names.is_empty() {
        quote!("")
    } else {
        quote!(match self { #(Self::#names { .. } => #texts,)* })
    };
    let errors = errors.into_tokens();
    quote! {
        #errors
        #[automatically_derived]
        impl #params #runtime::ErrorVariants for #name #args #bounds {
            fn variant(&self) -> &'static ::core::primitive::str {
                #body
            }
        }
    }
}
