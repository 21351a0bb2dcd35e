//! The driver: one task per supervised actor, from its first start to its end.

mod guarded;

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use actix::{Actor, ActorContext, Context};
use supervision_core::{Cause, RestartType};
use tokio::time::Sleep;

mod managed;

use crate::{
    alerts::Alert,
    control, current,
    event::EndReason,
    factory::Factory,
    incarnation::Incarnation,
    panics::{caught, cause_of_panic, drop_guarded},
    pump,
    settle::{Settled, Verdict, settle},
    shared::Shared,
    suspension::{self, Entered},
};

pub(crate) use self::guarded::spawn;

/// Incarnations that one poll may start before other tasks get their turn; an actor that fails at
/// once, without a delay and without a limit, would otherwise keep the thread to itself.
const STARTS_PER_POLL: usize = 32;

/// The task of one supervised actor.
pub(crate) struct Supervision<A: Actor<Context = Context<A>>> {
    shared: Rc<Shared<A>>,
    phase: Phase<A>,
    /// `None` once no incarnation will be made any more.
    factory: Option<Box<dyn Factory<A>>>,
}

// The large variant is the usual one; a box would be one more allocation for every actor.
#[expect(clippy::large_enum_variant)]
enum Phase<A: Actor<Context = Context<A>>> {
    /// The next incarnation is due.
    Start,
    Running(Incarnation<A>),
    /// The group has not ordered an incarnation.
    Held,
    /// The next incarnation is due later.
    Waiting(Pin<Box<Sleep>>),
    Ended,
}

/// What the driver does after a step.
enum Step {
    /// Another step.
    Again,
    /// Wait to be woken.
    Pending,
    /// Nobody is left to answer.
    Done,
}

impl<A: Actor<Context = Context<A>>> Supervision<A> {
    pub(crate) fn new(shared: Rc<Shared<A>>, factory: Box<dyn Factory<A>>) -> Self {
        Self {
            shared,
            phase: Phase::Start,
            factory: Some(factory),
        }
    }
}

impl<A: Actor<Context = Context<A>>> Future for Supervision<A> {
    type Output = ();

    // Always: being called from `Guarded` too must not cost actors without a deadline anything.
    #[inline(always)]
    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        let this = self.get_mut();
        current::scope(this.shared.clone(), || this.drive(task))
    }
}

impl<A: Actor<Context = Context<A>>> Supervision<A> {
    /// The loop.
    #[inline(always)]
    fn drive(&mut self, task: &mut TaskContext<'_>) -> Poll<()> {
        // Most polls are for messages and nothing else.
        if self.shared.is_quiet(task)
            && let Phase::Running(incarnation) = &mut self.phase
        {
            match incarnation.poll(task) {
                Ok(Poll::Pending) if self.shared.is_at_rest() => return Poll::Pending,
                Ok(Poll::Pending) => {}
                Ok(Poll::Ready(())) => drop(self.finish(None)),
                Err(panic) => drop(self.finish(Some(cause_of_panic(panic)))),
            }
        }
        self.drive_on(task)
    }

    /// The loop, for everything else.
    fn drive_on(&mut self, task: &mut TaskContext<'_>) -> Poll<()> {
        let mut starts = 0;
        loop {
            if !self.shared.alerts.none() {
                self.shared.forget_panics();
                control::serve(&self.shared, task);
                self.shared.listen_to_host(task);
                self.obey(task);
                self.end_if_requested();
            }
            let step = match &mut self.phase {
                Phase::Start if starts == STARTS_PER_POLL => {
                    task.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Phase::Start if self.shared.is_deserted(task) => self.end(EndReason::Unreferenced),
                Phase::Start => match self.shared.queue_up() {
                    Some(by) => self.start_after(by),
                    None => {
                        starts += 1;
                        self.start()
                    }
                },
                Phase::Running(_) if self.shared.waits_for_manager() => Step::Pending,
                Phase::Running(_) => self.run(task),
                Phase::Held => self.hold(task),
                Phase::Waiting(timer) => match timer.as_mut().poll(task) {
                    Poll::Ready(()) => {
                        self.phase = Phase::Start;
                        Step::Again
                    }
                    Poll::Pending => self.wait(task),
                },
                Phase::Ended if self.shared.is_referenced() => Step::Pending,
                Phase::Ended => Step::Done,
            };
            match step {
                Step::Again => {}
                Step::Pending if control::is_called(&self.shared) => {}
                Step::Pending => return Poll::Pending,
                Step::Done => return Poll::Ready(()),
            }
        }
    }
}

impl<A: Actor<Context = Context<A>>> Supervision<A> {
    /// Makes the next incarnation.
    fn start(&mut self) -> Step {
        let shared = &self.shared;
        shared.begin_incarnation();
        let Some(factory) = &mut self.factory else {
            return self.end(EndReason::Finished);
        };
        let actor = match caught(|| factory.create()) {
            Ok(Ok(actor)) => actor,
            Ok(Err(error)) => {
                let described =
                    shared.with_known_errors(|known| caught(|| Cause::erased(&*error, known)));
                drop_guarded(error);
                return self.fail_without_value(described.unwrap_or_else(|panic| panic));
            }
            Err(panic) => return self.fail_without_value(panic),
        };
        if let Some(told) = shared.spec().hooks.told {
            match caught(|| told(&actor)) {
                Ok(told) => {
                    if let Err(reason) = shared.listen(told) {
                        drop_guarded(actor);
                        return self.end(reason);
                    }
                }
                Err(panic) => {
                    drop_guarded(actor);
                    return self.fail_without_value(panic);
                }
            }
        }
        self.phase = Phase::Running(Incarnation::new(shared, actor));
        Step::Again
    }

    /// A failure with no incarnation to go on.
    fn fail_without_value(&mut self, cause: Cause) -> Step {
        if self.shared.is_managed() {
            return self.report_end(vec![Entered::fatal(cause)]);
        }
        self.settle_without_value(Entered::fatal(cause));
        self.shared.supersede_entered();
        self.follow_verdict()
    }

    /// Lets the running incarnation work until it waits or ends.
    fn run(&mut self, task: &mut TaskContext<'_>) -> Step {
        let Phase::Running(incarnation) = &mut self.phase else {
            return Step::Again;
        };
        let shared = &self.shared;
        let ctx = incarnation.ctx();
        shared.place_context(ctx);
        if !shared.alerts.none() {
            if shared.alerts.is(Alert::NoPump) {
                pump::install(shared, ctx);
            }
            if shared.alerts.take(Alert::Reported) {
                suspension::attach(ctx);
            }
        }
        // A suspension that was attached while actix was stopping the actor, and the actor chose
        // to go on, is reached by the second poll.
        for _ in 0..2 {
            match incarnation.poll(task) {
                Ok(Poll::Ready(())) => return self.finish(None),
                Err(panic) => return self.finish(Some(cause_of_panic(panic))),
                Ok(Poll::Pending) if !shared.is_undecided() => {
                    let cancelled = shared.alerts.is(Alert::NoPump) && !shared.is_pump_finished();
                    return if cancelled {
                        Step::Again
                    } else {
                        Step::Pending
                    };
                }
                Ok(Poll::Pending) => {}
            }
        }
        self.settle_unreached(task)
    }

    /// Decides on failures whose suspension actix does not poll because the actor waits for a
    /// future of its own. The value is sound but nobody can get at it: no hook is called.
    fn settle_unreached(&mut self, task: &mut TaskContext<'_>) -> Step {
        let shared = &self.shared;
        if shared.is_managed() {
            return self.consult_unreached(task);
        }
        while !shared.has_verdict() {
            let settled = match shared.next_entered() {
                Some(entered) => settle(shared, None, entered),
                None if shared.alerts.is(Alert::EndRequested) => shared.settle_request(),
                None => {
                    // All resumed; what fails at every poll must not keep the thread to itself.
                    task.waker().wake_by_ref();
                    return Step::Pending;
                }
            };
            if let Settled::Ended = settled {
                break;
            }
        }
        self.stop_unreached(task)
    }

    fn stop_unreached(&mut self, task: &mut TaskContext<'_>) -> Step {
        // Terminating a context from outside a poll would make actix call `started` once more. It
        // is stopped instead, and its veto, if it has one, ignored.
        let Phase::Running(incarnation) = &mut self.phase else {
            return Step::Again;
        };
        incarnation.ctx().stop();
        let panic = incarnation.poll(task).err().map(cause_of_panic);
        self.finish(panic)
    }

    /// The incarnation has ended, by a panic or by itself.
    fn finish(&mut self, panic: Option<Cause>) -> Step {
        let Phase::Running(incarnation) = std::mem::replace(&mut self.phase, Phase::Start) else {
            return Step::Again;
        };
        let dropped = incarnation.discard(&self.shared);
        self.shared.reset_capacity();
        // The first of these is why it ended, unless that was decided before; the others are only
        // recorded, since one incarnation fails once.
        let mut causes = panic.into_iter().map(Entered::fatal).collect::<Vec<_>>();
        while let Some(entered) = self.shared.next_entered() {
            causes.push(Entered {
                resumable: false,
                ..entered
            });
        }
        causes.extend(dropped.map(Entered::fatal));
        if self.shared.is_managed() {
            return self.report_end(causes);
        }
        for entered in causes {
            if self.shared.has_verdict() {
                self.shared.supersede(&entered.cause, entered.reporter);
            } else {
                self.settle_without_value(entered);
            }
        }
        if self.shared.has_verdict() {
            self.follow_verdict()
        } else {
            self.finish_exit()
        }
    }

    /// An incarnation ended without a failure.
    fn finish_exit(&mut self) -> Step {
        let shared = &self.shared;
        if shared.is_pump_finished() && !shared.is_referenced() {
            return self.end(EndReason::Unreferenced);
        }
        if shared.spec().settings.restart_type == RestartType::Permanent {
            let exit = Cause::exit("the actor stopped by itself");
            return self.fail_without_value(exit);
        }
        self.end(EndReason::Finished)
    }

    /// Decides on a failure that left no value; the decision cannot be to resume.
    fn settle_without_value(&self, entered: Entered<A>) {
        debug_assert!(!entered.resumable);
        let settled = settle(&self.shared, None, entered);
        debug_assert!(matches!(settled, Settled::Ended));
    }

    /// Does what was decided for after the incarnation.
    fn follow_verdict(&mut self) -> Step {
        match self.shared.take_verdict() {
            Some(Verdict::Restart { after, failure }) => {
                self.shared.ledger().recovering = Some(failure);
                self.shared.begin_delay(after);
                self.start_after(after)
            }
            Some(Verdict::End(reason)) => self.end(reason),
            None => self.end(EndReason::Finished),
        }
    }

    fn start_after(&mut self, delay: Duration) -> Step {
        self.phase = if delay.is_zero() {
            Phase::Start
        } else {
            Phase::Waiting(Box::pin(tokio::time::sleep(delay)))
        };
        Step::Again
    }

    /// The delay runs; only the end of all addresses cuts it short, and not while a message waits.
    fn wait(&mut self, task: &mut TaskContext<'_>) -> Step {
        let has_message = self.shared.watch_mailbox(task);
        if !has_message && !self.shared.is_referenced() {
            return self.end(EndReason::Unreferenced);
        }
        Step::Pending
    }

    fn end(&mut self, reason: EndReason) -> Step {
        drop_guarded(std::mem::replace(&mut self.phase, Phase::Ended));
        drop_guarded(self.factory.take());
        self.shared.end(reason);
        Step::Again
    }

    /// The supervisor's own context was stopped. A running incarnation is suspended for it, as for a
    /// failure.
    fn end_if_requested(&mut self) {
        if !self.shared.alerts.is(Alert::EndRequested) {
            return;
        }
        match &self.phase {
            Phase::Start | Phase::Waiting(_) => drop(self.end(EndReason::Requested)),
            Phase::Running(_) => self.shared.alerts.raise(Alert::Reported),
            Phase::Held | Phase::Ended => {}
        }
    }
}

/// The arbiter is going down with the actor still there. actix stops a running one in order, and it
/// is still supervised meanwhile; a panic in there must not become one of the arbiter's.
impl<A: Actor<Context = Context<A>>> Drop for Supervision<A> {
    fn drop(&mut self) {
        let shared = self.shared.clone();
        shared.end_keeping();
        // Dropped where it is: its context is known by its place.
        let dropped = current::scope(shared, || caught(|| self.phase = Phase::Ended));
        if let Err(panic) = dropped {
            let error = panic.message();
            tracing::error!(error, "an actor panicked while its arbiter stopped");
        }
        self.shared.close_mailbox();
        self.shared.abandon_watchers();
    }
}
