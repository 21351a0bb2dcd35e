//! Strategies as expressions. What the attribute leaves out is filled in with the defaults of
//! `SupervisionStrategy`; a test holds both against each other.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::{Delay, Ladder, Limit, Placement, Relocate, Restart, Rung, Spanned};

const DEFAULT_MAX: Limit = Limit::Times(3);
const DEFAULT_WITHIN: Duration = Duration::from_secs(60);
const DEFAULT_DELAY: Duration = Duration::from_millis(100);

/// A strategy, or a `Ladder` of several.
pub(super) fn ladder(rt: &TokenStream, ladder: &Ladder) -> TokenStream {
    match ladder.rungs.as_slice() {
        [single] => rung(rt, &single.value),
        rungs => {
            let rungs = rungs.iter().map(|each| rung(rt, &each.value));
            quote! {
                #rt::SupervisionStrategy::Ladder {
                    rungs: #rt::From::from([#(#rungs),*]),
                }
            }
        }
    }
}

fn rung(rt: &TokenStream, rung: &Rung) -> TokenStream {
    match rung {
        Rung::Restart(each) => restart(rt, each),
        Rung::Relocate(each) => relocate(rt, each),
        Rung::Stop => quote!(#rt::SupervisionStrategy::Stop),
        Rung::Escalate => quote!(#rt::SupervisionStrategy::Escalate),
        Rung::Resume => quote!(#rt::SupervisionStrategy::Resume),
    }
}

fn restart(rt: &TokenStream, restart: &Restart) -> TokenStream {
    let max = limit(restart.max.as_ref().map_or(DEFAULT_MAX, |max| max.value));
    let within = restart
        .within
        .as_ref()
        .map_or(DEFAULT_WITHIN, |within| within.value);
    let within = duration(rt, within);
    match restart.delay.as_ref().map(|delay| &delay.value) {
        Some(Delay::Growing { min, max: longest }) => {
            let min = duration(rt, min.value);
            let longest = duration(rt, longest.value);
            let factor = option(rt, restart.factor.as_ref(), |value| quote!(#value));
            let jitter = option(rt, restart.jitter.as_ref(), |value| quote!(#value));
            let reset = option(rt, restart.reset_after.as_ref(), |value| {
                duration(rt, value)
            });
            quote! {
                #rt::SupervisionStrategy::RestartWithBackoff {
                    max_restarts: #max,
                    window: #within,
                    backoff: #rt::backoff(#min, #longest, #factor, #jitter, #reset),
                }
            }
        }
        fixed => {
            let delay = match fixed {
                Some(Delay::Fixed(delay)) => *delay,
                _ => DEFAULT_DELAY,
            };
            let delay = duration(rt, delay);
            quote! {
                #rt::SupervisionStrategy::Restart {
                    max_restarts: #max,
                    window: #within,
                    delay: #delay,
                }
            }
        }
    }
}

fn relocate(rt: &TokenStream, relocate: &Relocate) -> TokenStream {
    let placement = match &relocate.placement {
        Placement::RoundRobin => quote!(RoundRobin),
        Placement::Random => quote!(Random),
        Placement::LeastLoaded => quote!(LeastLoaded),
        Placement::Rendezvous => quote!(Rendezvous),
        Placement::Redundant(replicas) => {
            let replicas = replicas.value;
            quote!(Redundant { replicas: #replicas })
        }
        Placement::Node(name) => {
            let name = &name.value;
            quote!(Node(#rt::node(#name)))
        }
    };
    let max = limit(relocate.max.value);
    let delay = relocate
        .delay
        .as_ref()
        .map_or(DEFAULT_DELAY, |delay| delay.value);
    let delay = duration(rt, delay);
    quote! {
        #rt::SupervisionStrategy::Relocate {
            placement: #rt::PlacementStrategy::#placement,
            max_relocations: #max,
            delay: #delay,
        }
    }
}

fn limit(limit: Limit) -> TokenStream {
    match limit {
        Limit::Times(times) => quote!(#times),
        Limit::Unlimited => quote!(::core::primitive::usize::MAX),
    }
}

pub(super) fn duration(rt: &TokenStream, duration: Duration) -> TokenStream {
    if let Ok(millis) = u64::try_from(duration.as_millis())
        && Duration::from_millis(millis) == duration
    {
        return if millis % 1_000 == 0 {
            let secs = millis / 1_000;
            quote!(#rt::Duration::from_secs(#secs))
        } else {
            quote!(#rt::Duration::from_millis(#millis))
        };
    }
    let (secs, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(#rt::Duration::new(#secs, #nanos))
}

fn option<T: Copy>(
    rt: &TokenStream,
    value: Option<&Spanned<T>>,
    show: impl Fn(T) -> TokenStream,
) -> TokenStream {
    match value {
        Some(value) => {
            let value = show(value.value);
            quote!(#rt::Option::Some(#value))
        }
        None => quote!(#rt::Option::None),
    }
}
