//! Stalls: actors kept from their messages, tasks that do not finish, threads that are blocked.

mod blocked;
mod deadline;
#[cfg(feature = "macros")]
mod derived;
mod waiting;
mod watched;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::{Decision, EndReason, prelude::*};

use crate::{
    probe::{Do, Probe, World, on, props, restart, typed_props},
    quiet::{on_system, on_virtual_time},
};

const CLOSED: Result<u64, MailboxError> = Err(MailboxError::Closed);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The deadline of most tests.
const DEADLINE: Duration = Duration::from_secs(1);

/// Waits in the context, so that no message is handled.
fn wait_for(ctx: &mut Context<Probe>, time: Duration) {
    let nap = actix::fut::wrap_future::<_, Probe>(actix_rt::time::sleep(time));
    ctx.wait(nap.map(|(), probe: &mut Probe, _| {
        let number = probe.number;
        probe.world.log(format_args!("{number}:waited"));
    }));
}

/// Has the probe wait when it is told to.
fn waiting(time: Duration) -> Do {
    Do::new(move |_, ctx| wait_for(ctx, time))
}

/// Waits for ever.
fn never() -> Duration {
    Duration::from_secs(1_000_000)
}

/// Types, decisions and outcomes of what failed.
async fn failures(
    supervisor: &Addr<SupervisorActor<Probe>>,
) -> Vec<(String, Option<Decision>, Outcome)> {
    let records = supervisor.send(GetFailureRecords::new()).await;
    let records = records.expect("the supervisor answers");
    let told = records.into_iter();
    told.map(|r| (r.info.error_type, r.decision, r.outcome))
        .collect()
}

/// The types of what failed.
async fn types(supervisor: &Addr<SupervisorActor<Probe>>) -> Vec<String> {
    let failures = failures(supervisor).await.into_iter();
    failures.map(|(error_type, ..)| error_type).collect()
}

async fn address(supervisor: &Addr<SupervisorActor<Probe>>) -> Addr<Probe> {
    let address = supervisor.send(GetActorAddr::new()).await;
    let address = address.expect("the supervisor answers");
    address.expect("the actor is up")
}

type Ended = Arc<Mutex<Vec<EndReason>>>;

/// An observer that keeps why actors ended.
fn ends() -> (Ended, impl Fn(&SupervisionEvent) + Send + 'static) {
    let ended = Ended::default();
    let kept = ended.clone();
    let observer = move |event: &SupervisionEvent| {
        if let SupervisionEvent::Ended { reason, .. } = event {
            kept.lock().unwrap().push(reason.clone());
        }
    };
    (ended, observer)
}
