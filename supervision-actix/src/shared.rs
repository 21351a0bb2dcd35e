//! The state of one supervised actor that outlives its incarnations: what the driver, the pump and
//! the code inside the actor have in common.

mod intake;
mod life;
mod strategy;

use std::{
    cell::{Cell, OnceCell, Ref, RefCell, RefMut},
    rc::Rc,
    task::{Context as TaskContext, Poll},
};

use actix::{
    Actor, Addr, Context,
    dev::{AsyncContextParts, Envelope},
};
use supervision_core::ValidStrategy;

use crate::{
    alerts::{Alert, Alerts},
    control::Port,
    current::Polled,
    ledger::Ledger,
    mailbox::Mailbox,
    panic_notes::PanicNotes,
    panics::drop_guarded,
    pump::Next,
    settings::Spec,
};

use strategy::ToldState;

/// Where a supervised actor is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// An incarnation is being made, or runs but has not finished its start.
    Starting,
    /// An incarnation handles messages.
    Running,
    /// No incarnation: the next one's delay runs.
    Waiting,
    /// Nothing comes any more.
    Ended,
}

/// What the parts of one supervised actor share. Everything in it stays on the actor's arbiter.
///
/// There is one for each actor, so it is kept small: what most actors never need is made when it is
/// needed.
pub(crate) struct Shared<A: Actor<Context = Context<A>>> {
    spec: Rc<Spec<A>>,
    mailbox: RefCell<Option<Mailbox<A>>>,
    rare: OnceCell<Box<Rare<A>>>,
    /// The way to the supervisor; apart from what is rare, since all children of groups have one.
    port: OnceCell<Box<RefCell<Option<Port<A>>>>>,
    incarnation: Cell<u64>,
    status: Cell<Status>,
    /// Whether the pump has ended because nobody can send any more.
    pump_finished: Cell<bool>,
    /// Where the running incarnation's context is: by this `ctx.fail` and the like know it.
    context_at: Cell<usize>,
    pub(crate) alerts: Alerts,
}

/// What only some actors need. Never borrowed while code of the user's runs.
struct Rare<A: Actor<Context = Context<A>>> {
    ledger: RefCell<Ledger<A>>,
    told: RefCell<Option<ToldState>>,
    /// The strategy that goes before all others. Boxed: few actors have one.
    changed: RefCell<Option<Box<ValidStrategy>>>,
    /// A waker can be registered only by trying to receive, so a mailbox that must be watched but
    /// not emptied leaves the envelope it got here.
    stash: RefCell<Option<Envelope<A>>>,
    panics: PanicNotes,
}

impl<A: Actor<Context = Context<A>>> Shared<A> {
    pub(crate) fn new(mailbox: Mailbox<A>, port: Option<Port<A>>, spec: Rc<Spec<A>>) -> Rc<Self> {
        let shared = Self {
            spec,
            mailbox: RefCell::new(Some(mailbox)),
            rare: OnceCell::new(),
            port: OnceCell::new(),
            incarnation: Cell::new(0),
            status: Cell::new(Status::Starting),
            pump_finished: Cell::new(false),
            context_at: Cell::new(0),
            alerts: Alerts::default(),
        };
        if port.is_some() {
            *shared.port_mut() = port;
        }
        if shared.spec.hosting.is_some() {
            shared.alerts.raise(Alert::Hosted);
        }
        Rc::new(shared)
    }

    pub(crate) fn spec(&self) -> &Spec<A> {
        &self.spec
    }

    pub(crate) fn path(&self) -> String {
        if let Some(path) = self.path_in_group() {
            return path;
        }
        let told = self
            .rare
            .get()
            .and_then(|rare| rare.told.borrow().as_ref()?.path.clone());
        told.unwrap_or_else(|| self.spec.path.clone())
    }

    /// Counted from 1; 0 before the first.
    pub(crate) fn incarnation(&self) -> u64 {
        self.incarnation.get()
    }

    pub(crate) fn status(&self) -> Status {
        self.status.get()
    }

    pub(crate) fn is_starting(&self) -> bool {
        self.status.get() == Status::Starting
    }

    /// Notes that the pump has ended because nobody can send any more.
    pub(crate) fn finish_pump(&self) {
        self.pump_finished.set(true);
        self.alerts.raise(Alert::NoPump);
    }

    /// Notes that the incarnation has its pump.
    pub(crate) fn install_pump(&self) {
        self.pump_finished.set(false);
        self.alerts.clear(Alert::NoPump);
    }

    /// Whether there is nothing to look at: but for messages, or because nobody is left to send any.
    #[inline]
    pub(crate) fn is_at_rest(&self) -> bool {
        self.alerts.none_but_hosted()
            || (self.alerts.only(Alert::NoPump) && self.pump_finished.get())
    }

    pub(crate) fn is_pump_finished(&self) -> bool {
        self.pump_finished.get()
    }

    fn rare(&self) -> &Rare<A> {
        self.rare.get_or_init(|| {
            Box::new(Rare {
                ledger: RefCell::new(self.new_ledger()),
                told: RefCell::default(),
                changed: RefCell::default(),
                stash: RefCell::default(),
                panics: PanicNotes::default(),
            })
        })
    }

    fn new_ledger(&self) -> Ledger<A> {
        let mut ledger = Ledger::new(self.spec.settings.history_capacity);
        self.with_luggage(|luggage| ledger.unpack(luggage));
        ledger
    }

    /// The memory, made when it is first needed.
    pub(crate) fn ledger(&self) -> RefMut<'_, Ledger<A>> {
        self.rare().ledger.borrow_mut()
    }

    /// The memory, if there is one yet.
    pub(crate) fn known_ledger(&self) -> Option<RefMut<'_, Ledger<A>>> {
        self.rare.get().map(|rare| rare.ledger.borrow_mut())
    }

    /// Forgets where the actor panicked: whoever caught it has asked by now.
    pub(crate) fn forget_panics(&self) {
        if self.alerts.take(Alert::Panicked)
            && let Some(rare) = self.rare.get()
        {
            rare.panics.clear();
        }
    }

    /// The way to the supervisor, if somebody ever wanted it.
    pub(crate) fn port(&self) -> Option<Ref<'_, Port<A>>> {
        Ref::filter_map(self.port.get()?.borrow(), Option::as_ref).ok()
    }

    /// The way to the supervisor, to be made or changed.
    pub(crate) fn port_mut(&self) -> RefMut<'_, Option<Port<A>>> {
        self.alerts.raise(Alert::Port);
        self.port.get_or_init(Box::default).borrow_mut()
    }
}

impl<A: Actor<Context = Context<A>>> Polled for Shared<A> {
    fn panic_notes(&self) -> &PanicNotes {
        self.alerts.raise(Alert::Panicked);
        &self.rare().panics
    }
}

/// The address.
impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// The actor's address, for as long as it has not ended.
    pub(crate) fn address(&self) -> Option<Addr<A>> {
        self.mailbox.borrow().as_ref().map(Mailbox::address)
    }

    /// Notes where the running incarnation's context is; it stays there until its end.
    pub(crate) fn place_context(&self, ctx: &Context<A>) {
        self.context_at.set(std::ptr::from_ref(ctx).addr());
    }

    /// Whether `ctx` is the running incarnation's. Asking for its address instead would make one,
    /// and the drop of the last address wakes the actor.
    pub(crate) fn is_context(&self, ctx: &Context<A>) -> bool {
        self.context_at.get() == std::ptr::from_ref(ctx).addr()
    }

    /// Whether anybody can still reach the actor or its supervisor.
    pub(crate) fn is_referenced(&self) -> bool {
        self.mailbox
            .borrow()
            .as_ref()
            .is_some_and(Mailbox::connected)
            || self.port().is_some_and(|port| port.connected())
    }

    /// Whether there is nobody to start another incarnation for. The first is always started.
    pub(crate) fn is_deserted(&self, task: &mut TaskContext<'_>) -> bool {
        self.incarnation() > 0 && !self.is_referenced() && !self.watch_mailbox(task)
    }

    /// The next message for a handler.
    #[inline]
    pub(crate) fn next_message(&self, task: &mut TaskContext<'_>) -> Next<A> {
        if self.alerts.is(Alert::Stashed)
            && let Some(envelope) = self.take_stashed()
        {
            return Next::Message(envelope);
        }
        let hosted = self.alerts.is(Alert::Hosted);
        if hosted && let Some(envelope) = self.next_hosted() {
            return Next::Message(envelope);
        }
        let mut mailbox = self.mailbox.borrow_mut();
        let Some(mailbox) = mailbox.as_mut() else {
            return Next::Deserted;
        };
        match mailbox.poll_next(task) {
            Poll::Ready(envelope) => Next::Message(envelope),
            Poll::Pending if hosted => self
                .next_hosted_at_last()
                .map_or(Next::Empty, Next::Message),
            Poll::Pending if mailbox.connected() => Next::Empty,
            Poll::Pending if self.port().is_some_and(|port| port.connected()) => Next::Empty,
            Poll::Pending => Next::Deserted,
        }
    }

    #[cold]
    fn take_stashed(&self) -> Option<Envelope<A>> {
        self.alerts.clear(Alert::Stashed);
        self.rare().stash.borrow_mut().take()
    }

    /// Leaves the mailbox's waker registered, for the next message or for the end of the last
    /// address, without taking a message; tells whether one is waiting (then somebody will come for
    /// it, and no waker is needed).
    pub(crate) fn watch_mailbox(&self, task: &mut TaskContext<'_>) -> bool {
        let mut stash = self.rare().stash.borrow_mut();
        if stash.is_none()
            && let Some(mailbox) = self.mailbox.borrow_mut().as_mut()
            && let Poll::Ready(envelope) = mailbox.poll_next(task)
        {
            *stash = Some(envelope);
            self.alerts.raise(Alert::Stashed);
        }
        stash.is_some()
    }

    /// Gives a context the actor's address, and forgets all futures that were spawned into it.
    pub(crate) fn renew_parts(&self, ctx: &mut Context<A>) {
        let parts = self.mailbox.borrow().as_ref().map(Mailbox::context_parts);
        if let Some(parts) = parts {
            drop_guarded(std::mem::replace(ctx.parts(), parts));
        }
    }

    /// Drops what is queued; senders get `Closed` from now on.
    pub(crate) fn close_mailbox(&self) {
        let mailbox = self.mailbox.borrow_mut().take();
        if let Some(mailbox) = mailbox {
            mailbox.close();
        }
        let stash = self
            .rare
            .get()
            .and_then(|rare| rare.stash.borrow_mut().take());
        drop_guarded(stash);
    }

    /// Undoes a capacity that an incarnation set.
    pub(crate) fn reset_capacity(&self) {
        if let Some(mailbox) = self.mailbox.borrow_mut().as_mut() {
            mailbox.reset_capacity(self.spec.settings.mailbox_capacity);
        }
    }
}
