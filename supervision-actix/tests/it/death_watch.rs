//! Death watch: exactly one notice, at the end, with the reason, whatever happens to either side.

mod arbiters;
mod groups;
mod lone;
mod watchers;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::{DeathWatch, EndReason, Termination, prelude::*};

use crate::{
    probe::{Do, Probe},
    quiet::MEANT,
};

/// The notice of a watch that must come.
async fn told(watch: DeathWatch) -> Terminated {
    let id = watch.id();
    let limit = Duration::from_secs(50);
    let told = actix_rt::time::timeout(limit, watch).await;
    let told = told.expect("the watcher is told");
    assert_eq!(told.watch, id);
    told
}

/// The reason for which an actor that was alive when it was watched has ended.
async fn end(watch: DeathWatch) -> EndReason {
    let told = told(watch).await;
    assert!(!told.was_over);
    match told.reason {
        Termination::Actor(reason) => reason,
        other => panic!("an actor ended with {other:?}"),
    }
}

/// Whether a watch has not been told; it is given back.
async fn untold(mut watch: DeathWatch) -> DeathWatch {
    let limit = Duration::from_millis(1);
    let told = actix_rt::time::timeout(limit, &mut watch).await;
    assert!(told.is_err(), "told too soon: {told:?}");
    watch
}

async fn address(supervisor: &Addr<SupervisorActor<Probe>>) -> Addr<Probe> {
    let address = supervisor.send(GetActorAddr::new()).await;
    address.expect("the supervisor answers").expect("it is up")
}

/// An actor that keeps the notices it gets.
#[derive(Clone, Default)]
struct Mourner {
    notices: Arc<Mutex<Vec<Terminated>>>,
    panics: bool,
}

impl Actor for Mourner {
    type Context = Context<Self>;
}

impl Handler<Terminated> for Mourner {
    type Result = ();

    fn handle(&mut self, notice: Terminated, _: &mut Context<Self>) {
        self.notices.lock().unwrap().push(notice);
        assert!(!self.panics, "{MEANT}: grief");
    }
}

impl Mourner {
    fn notices(&self) -> usize {
        self.notices.lock().unwrap().len()
    }
}

/// Has a probe stop.
fn stop() -> Do {
    Do::stop()
}
