//! From the model to Rust: every name by its full path, so that nothing in scope can change what is
//! meant.

mod rungs;

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Data, DeriveInput, Fields, GenericParam, Generics, Member, Path, PathArguments, Type,
    WherePredicate, ext::IdentExt as _, parse_quote, spanned::Spanned as _,
};

use self::rungs::{duration, ladder};
use crate::{
    check::spelled,
    model::{
        ActorPath, Hook, HookEvent, Kind, Known, Pattern, Piece, RestartType, Rule, Supervision,
    },
};

/// The runtime crate as this expansion names it.
pub(crate) fn runtime(given: Option<&Path>) -> TokenStream {
    given.map_or_else(|| quote!(::supervision_actix), ToTokens::to_token_stream)
}

/// `impl DistributedActor`.
pub(crate) fn distributed(input: &DeriveInput, read: &ActorPath) -> TokenStream {
    let runtime = runtime(read.runtime.as_ref());
    let rt = quote!(#runtime::__private);
    let name = &input.ident;
    let mut generics = input.generics.clone();
    let fields = field_types(&input.data, read);
    if !generics.params.is_empty() {
        let actor = parse_quote!(Self: #rt::Actor<Context = #rt::Context<Self>>);
        let shown = fields
            .iter()
            .filter(|field| mentions(field, &input.generics));
        let shown = shown.map(|field| parse_quote!(#field: #rt::Display));
        let bounds: Vec<WherePredicate> = std::iter::once(actor).chain(shown).collect();
        generics.make_where_clause().predicates.extend(bounds);
    }
    let (params, args, bounds) = generics.split_for_impl();
    let path = path(&rt, read);
    quote! {
        #[automatically_derived]
        impl #params #rt::DistributedActor for #name #args #bounds {
            fn actor_path(&self) -> #rt::String {
                #path
            }
        }
    }
}

fn path(rt: &TokenStream, read: &ActorPath) -> TokenStream {
    let Some(template) = &read.template else {
        return quote!(#rt::String::new());
    };
    let mut format = String::new();
    let mut values = Vec::new();
    for piece in &template.value {
        match piece {
            Piece::Text(text) => format.push_str(&text.replace('{', "{{").replace('}', "}}")),
            Piece::Field(name) => {
                format.push_str("{}");
                let span = shown_at(template.span);
                let member = member(name, span);
                values.push(quote_spanned!(span=> self.#member));
            }
        }
    }
    match template.value.as_slice() {
        [Piece::Text(text)] => quote!(#rt::From::from(#text)),
        _ => quote_spanned!(shown_at(template.span)=> #rt::format!(#format #(, #values)*)),
    }
}

/// For tokens of ours whose errors are to be shown at `span`. Not `span` itself: what came through
/// a macro's argument has a `self` of its own.
fn shown_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

fn member(name: &str, span: Span) -> Member {
    match name.parse::<usize>() {
        Ok(position) => Member::from(position),
        Err(_) => match name.strip_prefix("r#") {
            Some(raw) => Member::Named(Ident::new_raw(raw, span)),
            None => Member::Named(Ident::new(name, span)),
        },
    }
}

/// The types of the fields a path is made of.
fn field_types<'a>(data: &'a Data, read: &ActorPath) -> Vec<&'a Type> {
    let Data::Struct(data) = data else {
        return Vec::new();
    };
    let pieces = read.template.iter().flat_map(|template| &template.value);
    let named = |member: &Member| {
        let member = match member {
            Member::Named(name) => name.to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        };
        pieces
            .clone()
            .any(|piece| *piece == Piece::Field(member.clone()))
    };
    let fields: &Fields = &data.fields;
    let members = fields.members().zip(fields);
    members
        .filter(|(member, _)| named(member))
        .map(|(_, field)| &field.ty)
        .collect()
}

/// `impl SupervisedDistributedActor`.
pub(crate) fn supervised(input: &DeriveInput, read: &Supervision) -> TokenStream {
    let runtime = runtime(read.runtime.as_ref());
    let rt = quote!(#runtime::__private);
    let name = &input.ident;
    let mut generics = input.generics.clone();
    if !generics.params.is_empty() {
        let mut bounds: Vec<WherePredicate> = vec![parse_quote!(Self: #rt::DistributedActor)];
        for of in error_types(read) {
            if mentions(&of.tokens, &input.generics) {
                let of = of.tokens;
                bounds.push(parse_quote!(#of: #rt::Error + 'static));
            }
        }
        generics.make_where_clause().predicates.extend(bounds);
    }
    let (params, args, bounds) = generics.split_for_impl();
    let items = [
        strategy(&rt, read),
        known(&rt, read),
        read.restart_type
            .map(|restart_type| restart_type_fn(&rt, restart_type)),
        read.history.map(
            |capacity| quote!(fn history_capacity() -> ::core::primitive::usize { #capacity }),
        ),
        read.stall.as_ref().map(|stall| stall_fn(&rt, stall.value)),
    ];
    let items = items.into_iter().flatten();
    let hooks = read.hooks.iter().map(|hook| hook_fn(&rt, hook));
    quote! {
        #[automatically_derived]
        impl #params #rt::SupervisedDistributedActor for #name #args #bounds {
            #(#items)*
            #(#hooks)*
        }
    }
}

fn strategy(rt: &TokenStream, read: &Supervision) -> Option<TokenStream> {
    let default = read.strategy.as_ref().or(read.default.as_ref());
    if default.is_none() && read.rules.is_empty() {
        return None;
    }
    let default = match default {
        Some(default) => ladder(rt, &default.value),
        None => quote!(#rt::Default::default()),
    };
    let body = if read.rules.is_empty() {
        default
    } else {
        let rules = read.rules.iter().map(|each| rule(rt, each));
        quote! {
            #rt::SupervisionStrategy::Match {
                default: #rt::Box::new(#default),
                matchers: #rt::From::from([#(#rules),*]),
            }
        }
    };
    Some(quote! {
        fn supervision_strategy(&self) -> #rt::SupervisionStrategy {
            #body
        }
    })
}

fn rule(rt: &TokenStream, rule: &Rule) -> TokenStream {
    let strategy = ladder(rt, &rule.strategy);
    match &rule.pattern {
        Pattern::Kind(kind) => {
            let name = match kind {
                Kind::Panic => quote!(PANIC),
                Kind::Stall => quote!(STALL),
                Kind::Exit => quote!(EXIT),
            };
            quote!(#rt::SupervisionMatcher::new(#rt::#name, #strategy))
        }
        Pattern::Type(of) => quote!(#rt::SupervisionMatcher::on::<#of>(#strategy)),
        Pattern::Variant(of, variant) => {
            let name = variant.unraw().to_string();
            let pattern = variant_path(of, variant);
            let error = Ident::new("__error", Span::mixed_site());
            quote! {
                {
                    // Only the compiler knows whether there is such a variant.
                    let _ = |#error: &#of| match #error {
                        #pattern { .. } => {}
                        #[allow(unreachable_patterns)]
                        _ => {}
                    };
                    #rt::SupervisionMatcher::on_variant::<#of>(#name, #strategy)
                }
            }
        }
    }
}

/// `a::Error<T>` and `Timeout` as the path of a pattern, `a::Error::<T>::Timeout`.
fn variant_path(of: &Path, variant: &Ident) -> Path {
    let mut path = of.clone();
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token.get_or_insert_default();
        }
    }
    path.segments.push(variant.clone().into());
    path
}

/// An error type the supervisor has to recognise.
struct ErrorType {
    tokens: TokenStream,
    variants: bool,
}

/// The types of all rules and those listed as known, each once.
fn error_types(read: &Supervision) -> Vec<ErrorType> {
    let mut types = Vec::<(String, ErrorType)>::new();
    let mut add = |tokens: TokenStream, variants| {
        let name = spelled(&tokens);
        match types.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.variants |= variants,
            None => types.push((name, ErrorType { tokens, variants })),
        }
    };
    for Rule { pattern, .. } in &read.rules {
        match pattern {
            Pattern::Kind(_) => {}
            Pattern::Type(of) => add(of.to_token_stream(), false),
            Pattern::Variant(of, _) => add(of.to_token_stream(), true),
        }
    }
    for Known { of, variants } in &read.known {
        add(of.to_token_stream(), *variants);
    }
    types.into_iter().map(|(_, of)| of).collect()
}

fn known(rt: &TokenStream, read: &Supervision) -> Option<TokenStream> {
    let types = error_types(read);
    if types.is_empty() {
        return None;
    }
    let with = types.iter().map(|of| {
        let tokens = &of.tokens;
        let with = if of.variants { "with_variants" } else { "with" };
        let with = format_ident!("{with}");
        quote!(.#with::<#tokens>())
    });
    Some(quote! {
        fn error_types(&self) -> #rt::KnownErrors {
            #rt::KnownErrors::none() #(#with)*
        }
    })
}

fn restart_type_fn(rt: &TokenStream, restart_type: RestartType) -> TokenStream {
    let name = match restart_type {
        RestartType::Permanent => quote!(Permanent),
        RestartType::Transient => quote!(Transient),
        RestartType::Temporary => quote!(Temporary),
    };
    quote! {
        fn restart_type() -> #rt::RestartType {
            #rt::RestartType::#name
        }
    }
}

fn stall_fn(rt: &TokenStream, deadline: Duration) -> TokenStream {
    let deadline = duration(rt, deadline);
    quote! {
        fn stall_deadline() -> #rt::Option<#rt::Duration> {
            #rt::Option::Some(#deadline)
        }
    }
}

fn hook_fn(rt: &TokenStream, hook: &Hook) -> TokenStream {
    let (name, node) = match hook.event {
        HookEvent::BeforeRestart => ("before_restart", None),
        HookEvent::AfterRestart => ("after_restart", None),
        HookEvent::BeforeRelocate => ("before_relocate", Some("__node")),
        HookEvent::AfterRelocate => ("after_relocate", Some("__node")),
    };
    let name = format_ident!("{name}");
    let local = |name| Ident::new(name, Span::mixed_site());
    let (ctx, failure, node) = (local("__ctx"), local("__failure"), node.map(local));
    let node = node.into_iter();
    let nodes = node.clone();
    let function = &hook.function;
    let call =
        quote_spanned!(shown_at(function.span())=> #function(self, #ctx, #(#nodes,)* #failure));
    quote! {
        fn #name(
            &mut self,
            #ctx: &mut #rt::Context<Self>,
            #(#node: #rt::NodeId,)*
            #failure: #rt::Option<#rt::FailureInfo>,
        ) {
            #call
        }
    }
}

/// Whether one of the type's own parameters occurs among the tokens.
fn mentions(tokens: &impl ToTokens, generics: &Generics) -> bool {
    fn any(tokens: TokenStream, is: &impl Fn(&Ident) -> bool) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => is(&ident),
            TokenTree::Group(group) => any(group.stream(), is),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    any(tokens.to_token_stream(), &|ident| {
        generics.params.iter().any(|param| match param {
            GenericParam::Type(param) => param.ident == *ident,
            GenericParam::Const(param) => param.ident == *ident,
            GenericParam::Lifetime(_) => false,
        })
    })
}
