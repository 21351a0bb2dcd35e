//! A rule for a type that the actor's parameters are part of.

use actix::prelude::*;
use supervision_actix::prelude::*;

use std::{fmt::Debug, marker::PhantomData};

#[derive(Debug, thiserror::Error, ErrorVariants)]
enum StoreError<K: Debug> {
    #[error("no {0:?}")]
    Missing(K),
    #[error("locked")]
    Locked,
}

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/store")]
#[supervision(
    on(StoreError<K>.Missing => resume),
    on(StoreError<K> => restart),
    on(StoreError<Vec<(u8, u16)>>.Locked => stop),
)]
struct Store<K: Debug>(PhantomData<K>);

impl<K: Debug + Unpin + 'static> Actor for Store<K> {
    type Context = Context<Self>;
}

fn main() {
    let store = Store::<u32>(PhantomData);
    let SupervisionStrategy::Match { matchers, .. } = store.supervision_strategy() else {
        panic!("rules make a `Match`");
    };
    assert!(matchers[0].error_type.ends_with("::StoreError<u32>.Missing"));
    assert!(matchers[1].error_type.ends_with("::StoreError<u32>"));
    let known = store.error_types();
    assert_eq!(known.variant_of(&StoreError::Missing(1_u32)), Some("Missing"));
    assert_eq!(known.variant_of(&StoreError::<u32>::Locked), Some("Locked"));
    assert_eq!(known.variant_of(&StoreError::Missing("other")), None);
}
