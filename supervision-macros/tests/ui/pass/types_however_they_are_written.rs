//! Aliases, re-exports, associated types, and a type called `panic`.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(Debug, thiserror::Error, ErrorVariants)]
pub enum DatabaseError {
    #[error("timeout")]
    Timeout,
}

#[allow(non_camel_case_types)]
#[derive(Debug, thiserror::Error)]
#[error("not a panic")]
struct panic;

type Alias = DatabaseError;
mod exported {
    pub use super::DatabaseError as Renamed;
}
use std::io;

#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/worker")]
#[supervision(
    on(Alias.Timeout => restart),
    on(exported::Renamed => stop),
    on(self::panic => resume),
    on(panic => escalate),
    on(io::Error => stop),
    on(<u8 as std::str::FromStr>::Err => stop),
    on(std::sync::mpsc::SendError<fn(u8) -> u8> => stop),
)]
struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {
    let SupervisionStrategy::Match { matchers, .. } = Worker.supervision_strategy() else {
        std::panic!("rules make a `Match`");
    };
    let types: Vec<_> = matchers.iter().map(|rule| &*rule.error_type).collect();
    assert!(types[0].ends_with("::DatabaseError.Timeout"));
    assert!(types[1].ends_with("::DatabaseError"));
    assert!(types[2].ends_with("::panic"));
    assert_eq!(types[3..6], ["panic", "std::io::Error", "std::num::ParseIntError"]);
    assert_eq!(Worker.supervision_strategy().validate(), Ok(()));
    let _ = (DatabaseError::Timeout, panic);
}
