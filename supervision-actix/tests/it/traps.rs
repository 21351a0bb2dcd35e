//! The traps of the mechanism, one test each.

mod arbiters;
mod backing_off;
mod contexts;
mod ends;
mod incarnation;
mod pump;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use actix::prelude::*;
use futures_util::future::join_all;
use supervision_actix::{Decision, RestartReason, StopReason, prelude::*};

use crate::{
    child::alone,
    probe::{
        Do, End, Meant, Probe, World, eventually, on, pass_a_second, props, restart, typed_props,
    },
    quiet::{MEANT, on_system, on_virtual_time},
};

const CLOSED: Result<u64, MailboxError> = Err(MailboxError::Closed);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn records(supervisor: &Addr<SupervisorActor<Probe>>) -> Vec<(Option<Decision>, Outcome)> {
    let records = supervisor.send(GetFailureRecords::new()).await;
    let records = records.expect("the supervisor answers");
    records
        .into_iter()
        .map(|r| (r.decision, r.outcome))
        .collect()
}

async fn outcomes(supervisor: &Addr<SupervisorActor<Probe>>) -> Vec<Outcome> {
    let records = records(supervisor).await.into_iter();
    records.map(|(_, outcome)| outcome).collect()
}

async fn address(supervisor: &Addr<SupervisorActor<Probe>>) -> Addr<Probe> {
    let address = supervisor.send(GetActorAddr::new()).await;
    address
        .expect("the supervisor answers")
        .expect("the actor is up")
}
