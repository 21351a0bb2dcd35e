//! Everything the attributes can say, in one actor.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(Debug, thiserror::Error, ErrorVariants)]
enum DatabaseError {
    #[error("timeout")]
    Timeout,
    #[error("refused {0}")]
    Refused(u8),
    #[error("gone since {since}")]
    Gone { since: u64 },
}

#[derive(Clone, DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/user/{id}")]
#[supervision(
    on(DatabaseError.Timeout => restart(max = 5, within = "1m", delay = "50ms"..="2s", factor = 1.5,
        jitter = 0.1, reset_after = "1m")),
    on(DatabaseError => stop),
    on(std::io::Error => relocate(round_robin, max = 3, delay = "200ms")),
    on(panic => restart(max = 3, within = "30s") then relocate(node("b"), max = 2) then escalate),
    on(stall => restart(max = unlimited, delay = 0s)),
    on(exit => relocate(rendezvous, max = 1) then relocate(redundant(3), max = 1) then resume),
    default = restart,
    known(std::fmt::Error),
    restart_type = permanent,
    history = 20,
    stall = "1m 30s",
    before_restart = Self::flush,
    after_restart = restored,
    before_relocate = Self::leave,
    after_relocate = Self::arrive,
)]
struct Worker {
    id: u32,
}

impl Worker {
    fn flush(&mut self, _: &mut Context<Self>, _: Option<FailureInfo>) {
        self.id += 1;
    }

    fn leave(&mut self, _: &mut Context<Self>, _: NodeId, _: Option<FailureInfo>) {}

    fn arrive(&mut self, _: &mut Context<Self>, _: NodeId, _: Option<FailureInfo>) {}
}

fn restored(worker: &mut Worker, _: &mut Context<Worker>, _: Option<FailureInfo>) {
    worker.id += 1;
}

impl Actor for Worker {
    type Context = Context<Self>;
}

fn main() {
    let worker = Worker { id: 7 };
    assert_eq!(worker.actor_path(), "/user/7");
    assert_eq!(worker.supervision_strategy().validate(), Ok(()));
    assert_eq!(Worker::restart_type(), RestartType::Permanent);
    assert_eq!(Worker::history_capacity(), 20);
    assert_eq!(Worker::stall_deadline(), Some(std::time::Duration::from_secs(90)));
    let errors = [DatabaseError::Timeout, DatabaseError::Refused(1), DatabaseError::Gone { since: 1 }];
    assert_eq!(errors.map(|error| error.variant()), ["Timeout", "Refused", "Gone"]);
}
