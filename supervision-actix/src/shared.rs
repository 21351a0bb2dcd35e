//! The state of one supervised actor that outlives its incarnations: what the driver, the pump and
//! the code inside the actor have in common.

mod intake;
mod life;
mod post;
mod snapshot;
mod strategy;
mod watched;

use std::{
    cell::{Cell, OnceCell, Ref, RefCell, RefMut},
    rc::Rc,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use actix::{
    Actor, Addr, Context, WeakAddr,
    dev::{AsyncContextParts, Envelope},
};
use supervision_core::ValidStrategy;

use crate::{
    alerts::{Alert, Alerts},
    control::Port,
    current::Polled,
    handling::Turn,
    ledger::Ledger,
    mailbox::Mailbox,
    panic_notes::PanicNotes,
    panics::drop_guarded,
    pump::Next,
    settings::Spec,
    tracked::Tally,
};

pub(crate) use intake::unix_millis;
use strategy::ToldState;
use watched::Watched;

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
    /// Envelopes given to handlers, the lower half of the count.
    dispatched: Cell<u32>,
    /// A way to keep the running incarnation from being stopped by actix; see `lose_pump`.
    private: Cell<Option<WeakAddr<A>>>,
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
    /// The counts of messages by tracked addresses, if there are such.
    tally: OnceCell<Arc<Tally>>,
    /// How often the lower half of the count was full.
    dispatched_wraps: Cell<u32>,
    plain_dropped: Cell<u64>,
    /// What was handled last, if it keeps the next message waiting.
    holds_back: Cell<Option<(Turn, &'static str)>>,
    watched: RefCell<Watched>,
    /// Keeps an incarnation without a pump.
    kept_by: RefCell<Option<Addr<A>>>,
}

impl<A: Actor<Context = Context<A>>> Shared<A> {
    pub(crate) fn new(mailbox: Mailbox<A>, port: Option<Port<A>>, spec: Rc<Spec<A>>) -> Rc<Self> {
        let letterbox = mailbox.letterbox().cloned();
        let shared = Self {
            spec,
            mailbox: RefCell::new(Some(mailbox)),
            rare: OnceCell::new(),
            port: OnceCell::new(),
            incarnation: Cell::new(0),
            status: Cell::new(Status::Starting),
            pump_finished: Cell::new(false),
            context_at: Cell::new(0),
            dispatched: Cell::new(0),
            private: Cell::new(None),
            alerts: Alerts::default(),
        };
        if port.is_some() {
            *shared.port_mut() = port;
        }
        if let Some(letterbox) = letterbox {
            shared.know_letterbox(&letterbox);
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
        told.unwrap_or_else(|| self.spec.path.to_string())
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
        if self.alerts.take(Alert::NoPump)
            && let Some(rare) = self.rare.get()
        {
            rare.kept_by.take();
        }
    }

    /// Notes that the incarnation's pump is gone. actix stops an actor that has no future and no
    /// sender left; unless the pump has finished, a sender keeps it until the pump is back.
    pub(crate) fn lose_pump(&self) {
        self.alerts.raise(Alert::NoPump);
        if self.pump_finished.get() {
            return;
        }
        if let Some(private) = self.private.take() {
            *self.rare().kept_by.borrow_mut() = private.upgrade();
            self.private.set(Some(private));
        }
    }

    /// An incarnation begins with this address of the channel that actix thinks is its mailbox.
    pub(crate) fn begin_keeping(&self, private: WeakAddr<A>) {
        self.private.set(Some(private));
    }

    /// The incarnation is to be dropped: losing its pump means nothing.
    pub(crate) fn end_keeping(&self) {
        self.private.set(None);
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
                tally: OnceCell::new(),
                dispatched_wraps: Cell::new(0),
                plain_dropped: Cell::new(0),
                holds_back: Cell::new(None),
                watched: RefCell::default(),
                kept_by: RefCell::default(),
            })
        })
    }

    fn new_ledger(&self) -> Ledger<A> {
        let mut ledger = Ledger::new(self.spec.settings.history_capacity());
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

    fn turn(&self) -> Turn {
        Self::turn(self)
    }
}

/// The address.
impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// The actor's address, for as long as it has not ended.
    pub(crate) fn address(&self) -> Option<Addr<A>> {
        self.mailbox.borrow().as_ref()?.address()
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
            || self.is_supervisor_held()
    }

    /// Whether there is nobody to start another incarnation for. The first is always started.
    pub(crate) fn is_deserted(&self, task: &mut TaskContext<'_>) -> bool {
        self.incarnation() > 0 && !self.is_referenced() && !self.watch_mailbox(task)
    }

    /// The next message for a handler.
    // Always: it is looked for twice in each wake-up.
    #[inline(always)]
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
            Poll::Pending if self.is_supervisor_held() => Next::Empty,
            Poll::Pending => Next::Deserted,
        }
    }

    /// Whether anybody holds the supervisor's address, or a group has the actor.
    #[cold]
    fn is_supervisor_held(&self) -> bool {
        self.port().is_some_and(|port| port.connected())
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
        let mut mailbox = self.mailbox.borrow_mut();
        if let Some(Mailbox::Tracked(inlet)) = mailbox.as_ref() {
            return stash.is_some() || inlet.watch(task);
        }
        if stash.is_none()
            && let Some(mailbox) = mailbox.as_mut()
            && let Poll::Ready(envelope) = mailbox.poll_next(task)
        {
            *stash = Some(envelope);
            self.alerts.raise(Alert::Stashed);
        }
        stash.is_some()
    }

    /// Gives a context the actor's address, and forgets all futures that were spawned into it.
    pub(crate) fn renew_parts(&self, ctx: &mut Context<A>) {
        let mailbox = self.mailbox.borrow();
        let parts = mailbox.as_ref().and_then(Mailbox::context_parts);
        drop(mailbox);
        if let Some(parts) = parts {
            drop_guarded(std::mem::replace(ctx.parts(), parts));
        }
    }

    /// Undoes a capacity that an incarnation set.
    pub(crate) fn reset_capacity(&self) {
        if let Some(mailbox) = self.mailbox.borrow_mut().as_mut() {
            mailbox.reset_capacity(self.spec.settings.mailbox_capacity);
        }
    }
}
