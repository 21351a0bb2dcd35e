//! ractor-supervisor: children of its dynamic supervisor, found by their names, which its
//! documentation demands.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use ractor::{ActorRef, registry::where_is};
use ractor_supervisor::{
    ChildSpec, DynamicSupervisor, DynamicSupervisorMsg, DynamicSupervisorOptions, Restart, SpawnFn,
};

use crate::{
    peer::{Answer, Fail, Peer, Place},
    peers::ractor::{Msg, Probe, ask},
    remote::Tasks,
};

pub struct RactorSupervisor {
    supervisor: ActorRef<DynamicSupervisorMsg>,
}

fn spec(id: String) -> ChildSpec {
    let made = Arc::new(AtomicU32::new(0));
    let spawn = move |supervisor, id| {
        let incarnation = made.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            let spawned = DynamicSupervisor::spawn_linked(id, Probe, incarnation, supervisor).await;
            spawned.map(|(child, _)| child.get_cell())
        }
    };
    ChildSpec {
        id,
        restart: Restart::Transient,
        spawn_fn: SpawnFn::new(spawn),
        backoff_fn: None,
        reset_after: None,
    }
}

fn find(name: &str) -> Option<ActorRef<Msg>> {
    where_is(name).map(ActorRef::from)
}

impl Peer for RactorSupervisor {
    type Ref = String;

    async fn open(place: Place) -> Self {
        let tasks = Tasks::on(place);
        let options = DynamicSupervisorOptions {
            max_children: None,
            max_restarts: usize::MAX,
            max_window: Duration::from_secs(1),
            reset_after: None,
        };
        let supervisor = tasks
            .run(DynamicSupervisor::spawn("bench".to_owned(), options))
            .await;
        Self {
            supervisor: supervisor.expect("it has started").0,
        }
    }

    async fn start(&self, index: u32) -> String {
        let name = format!("probe-{index}");
        let spawned =
            DynamicSupervisor::spawn_child(self.supervisor.clone(), spec(name.clone())).await;
        spawned.expect("it has started");
        name
    }

    async fn tell(&self, to: &String) {
        // To an actor that is gone: lost, as the case is to find out.
        let _ = find(to).map(|actor| actor.cast(Msg::Tell));
    }

    async fn ask(&self, to: &String) -> Answer {
        ask(|| find(to)).await
    }

    async fn fail(&self, to: &String, fail: Fail) {
        let actor = find(to).expect("it is up");
        actor.cast(Msg::Fail(fail)).expect("it is delivered");
    }

    async fn stop(self, _: Vec<String>) {
        self.supervisor.stop_children(None);
    }
}
