//! An actor that a cluster hosts: how it is described, how it comes, and how it goes.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use actix::{Actor, Context, dev::Envelope};
use supervision_core::{Decision, FailureInfo, NodeId};

use crate::{
    alerts::Alert,
    current,
    event::{EndReason, SupervisionEvent},
    inlet::Inlet,
    luggage::{Arrival, Luggage},
    panics::{caught, drop_guarded},
    record::Outcome,
    relocator::Relocator,
    settle::{Settled, Verdict},
    shared::Shared,
    suspension,
};

/// What makes an actor a hosted one.
pub(crate) struct Hosting<A: Actor<Context = Context<A>>> {
    relocator: Box<dyn Relocator<A>>,
    inlet: Inlet<A>,
    arrival: RefCell<Option<Arrival>>,
    /// Where it was ordered to go.
    departing: RefCell<Option<NodeId>>,
    /// Whether the mailbox is to be looked at before the inlet.
    mailbox_first: Cell<bool>,
}

impl<A: Actor<Context = Context<A>>> Hosting<A> {
    pub(crate) fn new(
        relocator: Box<dyn Relocator<A>>,
        inlet: Inlet<A>,
        arrival: Option<Arrival>,
    ) -> Self {
        Self {
            relocator,
            inlet,
            arrival: RefCell::new(arrival),
            departing: RefCell::new(None),
            mailbox_first: Cell::new(false),
        }
    }
}

/// Gives a hosted actor up, to be moved to another node: meant for an envelope of an
/// [`Inlet`](crate::Inlet). When the current handler has returned, `before_relocate` is called and the
/// actor handed to its relocator. `false` if `ctx` is not that of a hosted actor.
pub fn depart<A: Actor<Context = Context<A>>>(ctx: &mut Context<A>, to: NodeId) -> bool {
    let Some(shared) = current::of(ctx) else {
        return false;
    };
    let Some(hosting) = shared.hosting() else {
        return false;
    };
    *hosting.departing.borrow_mut() = Some(to);
    suspension::attach(ctx);
    true
}

/// Whether the incarnation that `ctx` belongs to has failed, and waits for what is decided.
pub fn is_failing<A: Actor<Context = Context<A>>>(ctx: &Context<A>) -> bool {
    current::of(ctx).is_some_and(|shared| shared.has_entered())
}

impl<A: Actor<Context = Context<A>>> Shared<A> {
    pub(crate) fn hosting(&self) -> Option<&Hosting<A>> {
        self.spec().hosting.as_deref()
    }

    /// Whether a failed value may go on.
    pub(crate) fn may_resume(&self) -> bool {
        self.asks_host(true, |relocator| relocator.may_resume())
    }

    /// Where the actor is to move to, if it can.
    pub(crate) fn choose_target(
        &self,
        decision: &Decision,
        failure: &FailureInfo,
    ) -> Option<NodeId> {
        let Decision::Relocate { placement, .. } = decision else {
            return None;
        };
        self.asks_host(None, |relocator| relocator.choose(placement, failure))
    }

    /// Gives the actor up to its host.
    pub(crate) fn give_up(
        &self,
        value: Option<(&mut A, &mut Context<A>)>,
        sound: bool,
        to: NodeId,
        failure: Option<Rc<FailureInfo>>,
        delay: Duration,
    ) -> Verdict {
        let failure = failure.map(|failure| (*failure).clone());
        let mut sound = sound;
        let mut left = None;
        if let Some((actor, ctx)) = value {
            if let Some(hook) = self.spec().hooks.before_relocate {
                let hook = || hook(actor, ctx, to.clone(), failure.clone());
                if let Err(panic) = caught(hook) {
                    sound = false;
                    self.supersede(&panic, None);
                }
            }
            left = sound.then_some(&*actor);
        }
        self.close_record(Outcome::Relocated);
        let luggage = self.pack_luggage(failure.clone(), delay);
        self.asks_host((), |relocator| relocator.depart(&to, left, luggage));
        let failure = failure.map(Box::new);
        Verdict::End(EndReason::Relocated { to, failure })
    }

    fn pack_luggage(&self, failure: Option<FailureInfo>, delay: Duration) -> Luggage {
        let packed = self.known_ledger().map(|ledger| ledger.pack());
        Luggage {
            failure,
            delay,
            ..packed.unwrap_or_default()
        }
    }

    /// Whether there is nothing to look at but messages.
    #[inline]
    pub(crate) fn is_quiet(&self, task: &std::task::Context<'_>) -> bool {
        if self.alerts.none() {
            return true;
        }
        self.listen_to_host(task);
        self.alerts.none_but_hosted()
    }

    /// Does what its host has said; its task is woken when the host says more.
    pub(crate) fn listen_to_host(&self, task: &std::task::Context<'_>) {
        if !self.alerts.is(Alert::Hosted) {
            return;
        }
        if let Some(hosting) = self.hosting() {
            hosting.inlet.register(task.waker());
            if hosting.inlet.take_halt() {
                self.alerts.raise(Alert::EndRequested);
            }
        }
    }

    /// The host's next message, if it is the inlet's turn.
    pub(crate) fn next_hosted(&self) -> Option<Envelope<A>> {
        let hosting = self.hosting()?;
        if hosting.mailbox_first.replace(false) {
            return None;
        }
        let envelope = hosting.inlet.next();
        hosting.mailbox_first.set(envelope.is_some());
        envelope
    }

    /// Whether messages of the host's wait, after all.
    pub(crate) fn next_hosted_at_last(&self) -> Option<Envelope<A>> {
        self.hosting()?.inlet.next()
    }

    pub(crate) fn is_departing(&self) -> bool {
        let departing = |hosting: &Hosting<A>| hosting.departing.borrow().is_some();
        self.hosting().is_some_and(departing)
    }

    /// Carries out the order to go.
    pub(crate) fn settle_departure(&self, actor: &mut A, ctx: &mut Context<A>) -> Settled {
        let to = self.hosting().and_then(|h| h.departing.borrow_mut().take());
        let Some(to) = to else {
            return Settled::Resumed;
        };
        let verdict = self.give_up(Some((actor, ctx)), true, to, None, Duration::ZERO);
        self.ledger().verdict = Some(verdict);
        Settled::Ended
    }

    /// What an actor that came from another node is told when it is up.
    pub(crate) fn arrive(&self, actor: &mut A, ctx: &mut Context<A>) {
        if self.with_luggage(|luggage| *luggage != Luggage::default()) == Some(true) {
            // What it remembers is unpacked where its memory is made.
            drop(self.ledger());
        }
        let arrival = self.hosting().and_then(|h| h.arrival.borrow_mut().take());
        let Some(Arrival { source, luggage }) = arrival else {
            return;
        };
        let Some(source) = source else {
            return;
        };
        if let Some(hook) = self.spec().hooks.after_relocate {
            // Not caught here, as `after_restart` is not.
            hook(actor, ctx, source.clone(), luggage.failure.clone());
        }
        if luggage.failure.is_some() {
            self.ledger().count_restart();
        }
        tracing::info!(path = self.path(), %source, "actor relocated");
        self.emit(|| SupervisionEvent::Relocated {
            path: self.path(),
            from: source,
            failure: luggage.failure.map(Box::new),
        });
    }

    /// Tells the host that an incarnation is up, and sees to it that it goes if it has to.
    pub(crate) fn tell_host_started(&self, ctx: &mut Context<A>) {
        self.asks_host((), |relocator| relocator.started());
        if self.is_departing() {
            suspension::attach(ctx);
        }
    }

    /// Gives back what was not handled, and tells the host that nothing runs any more.
    pub(crate) fn tell_host_ended(&self, reason: &EndReason) {
        let Some(hosting) = self.hosting() else {
            return;
        };
        for envelope in hosting.inlet.close() {
            drop_guarded(envelope);
        }
        self.asks_host((), |relocator| relocator.ended(reason));
    }

    fn asks_host<R>(&self, otherwise: R, ask: impl FnOnce(&dyn Relocator<A>) -> R) -> R {
        let Some(hosting) = self.hosting() else {
            return otherwise;
        };
        match caught(|| ask(&*hosting.relocator)) {
            Ok(answer) => answer,
            Err(panic) => {
                let error = panic.message();
                tracing::error!(path = self.path(), error, "the host of an actor panicked");
                otherwise
            }
        }
    }

    /// What was brought along.
    pub(crate) fn with_luggage<R>(&self, f: impl FnOnce(&Luggage) -> R) -> Option<R> {
        let arrival = self.hosting()?.arrival.borrow();
        arrival.as_ref().map(|arrival| f(&arrival.luggage))
    }
}
