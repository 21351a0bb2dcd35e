//! The driver of an actor with a deadline: around the ordinary one, which knows nothing of it.
//!
//! Whether a `ctx.wait` future holds back the actor's messages is read off its context after a poll:
//! actix notes the number of the future it is polling and forgets it only when it has been through
//! all of them, which a `ctx.wait` future prevents. Before `started` has been waited for there is no
//! such number, but the actor is still starting then.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use actix::{Actor, Context, SpawnHandle};
use supervision_core::Cause;
use tokio::time::{Sleep, sleep};

use crate::{
    panic_hook,
    shared::Status,
    stalls::{
        Registration, nanos,
        slot::{Blocked, Slot, here},
    },
};

use super::{Phase, Supervision};

/// The task of one supervised actor with a deadline.
struct Guarded<A: Actor<Context = Context<A>>> {
    supervision: Supervision<A>,
    deadline: Duration,
    wait: Option<Wait>,
    slot: Arc<Slot>,
    registration: Registration,
}

/// What keeps the actor from handling messages now, until it is too long.
struct Wait {
    incarnation: u64,
    over: Pin<Box<Sleep>>,
}

/// Starts the task of a supervised actor, with a guard around it if the actor has a deadline.
pub(crate) fn spawn<A: Actor<Context = Context<A>>>(supervision: Supervision<A>) {
    panic_hook::install();
    match supervision.shared.spec().settings.stall_deadline() {
        Some(deadline) => actix_rt::spawn(Guarded::new(supervision, deadline)),
        None => actix_rt::spawn(supervision),
    };
}

impl<A: Actor<Context = Context<A>>> Guarded<A> {
    fn new(supervision: Supervision<A>, deadline: Duration) -> Self {
        Self {
            registration: Registration::new(supervision.shared.path()),
            supervision,
            deadline,
            wait: None,
            slot: here(),
        }
    }
}

impl<A: Actor<Context = Context<A>>> Future for Guarded<A> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            let shared = &this.supervision.shared;
            let running = matches!(this.supervision.phase, Phase::Running(_));
            let incarnation = shared.incarnation() + u64::from(!running);
            let (number, deadline) = (this.registration.number(), nanos(this.deadline));
            let (done, polled) = this.slot.during(number, deadline, incarnation, || {
                Pin::new(&mut this.supervision).poll(task)
            });
            let blocked = polled.blocked.map(|at| this.enter_blocked(at));
            if done.is_ready() {
                return Poll::Ready(());
            }
            let waits_too_long = this.waits_too_long(polled.reached, task);
            if waits_too_long {
                let limit = this.deadline;
                let text = format!("handled no message for {limit:?}, waiting for a future");
                let shared = &this.supervision.shared;
                let cause = Cause::stall(text).handling(shared.holding_back());
                shared.report(cause, None);
            }
            if !waits_too_long && blocked.is_none() {
                return Poll::Pending;
            }
        }
    }
}

impl<A: Actor<Context = Context<A>>> Guarded<A> {
    /// The thread was blocked; the incarnation that did it has failed.
    #[cold]
    fn enter_blocked(&self, blocked: Blocked) {
        let shared = &self.supervision.shared;
        let incarnation = blocked.incarnation;
        let lasted = Duration::from_nanos(blocked.lasted);
        let limit = self.deadline;
        let text = format!("blocked its thread for {lasted:?}, longer than {limit:?}");
        let cause = Cause::stall(text).handling(blocked.message_type);
        if incarnation == shared.incarnation() {
            shared.report(cause, None);
        } else if shared.status() != Status::Ended {
            shared.supersede(&cause, None);
        }
    }

    /// Whether a future has held back the actor's messages for longer than the deadline. The timer is
    /// there only while one does.
    fn waits_too_long(&mut self, reached: bool, task: &mut TaskContext<'_>) -> bool {
        if !self.is_held_back() {
            self.wait = None;
            return false;
        }
        let incarnation = self.supervision.shared.incarnation();
        // Another future than before, if messages could be handled in between.
        let fresh = |wait: &Wait| !reached && wait.incarnation == incarnation;
        let mut wait = match self.wait.take().filter(fresh) {
            Some(wait) => wait,
            None => Wait {
                incarnation,
                over: Box::pin(sleep(self.deadline)),
            },
        };
        let over = wait.over.as_mut().poll(task).is_ready();
        if !over {
            self.wait = Some(wait);
        }
        over
    }

    /// Whether the incarnation waits for a future of its own, by `ctx.wait`.
    fn is_held_back(&mut self) -> bool {
        let Phase::Running(incarnation) = &mut self.supervision.phase else {
            return false;
        };
        let polls = incarnation.ctx().handle();
        let shared = &self.supervision.shared;
        // A child of a group that waits for its group's decision is not to blame.
        !shared.waits_for_manager() && (shared.is_starting() || polls != SpawnHandle::default())
    }
}
