//! The state of one supervised actor that outlives its incarnations: what the driver, the pump and
//! the code inside the actor have in common.

use std::{
    cell::{Cell, Ref, RefCell, RefMut},
    rc::Rc,
    task::{Context as TaskContext, Poll},
};

use actix::{Actor, Addr, Context, SpawnHandle, dev::Envelope};
use supervision_core::{Cause, KnownErrors, ValidStrategy};

use crate::{
    control::Port,
    event::{EndReason, SupervisionEvent},
    hooks::{Hooks, Told},
    ledger::{Ledger, answer},
    mailbox::Mailbox,
    panics::{caught, drop_guarded},
    pump::PumpState,
    record::{FailureRecord, Outcome},
    settings::Settings,
    settle::Verdict,
    suspension::{self, Entered, MAX_ENTERED, Reporter},
};

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
pub(crate) struct Shared<A: Actor<Context = Context<A>>> {
    mailbox: RefCell<Option<Mailbox<A>>>,
    /// The way to the supervisor, made when somebody first wants it.
    pub(crate) port: RefCell<Option<Port<A>>>,
    ledger: RefCell<Option<Box<Ledger<A>>>>,
    told: RefCell<Option<Box<ToldState>>>,
    strategy: Option<ValidStrategy>,
    path: RefCell<Rc<str>>,
    settings: Rc<Settings>,
    hooks: &'static Hooks<A>,
    incarnation: Cell<u64>,
    /// The keep-alive item of the running incarnation.
    pub(crate) keep_alive: Cell<Option<SpawnHandle>>,
    pub(crate) pump: Cell<PumpState>,
    status: Cell<Status>,
    /// Failures have been queued from outside the incarnation, which is not suspended for them yet.
    reported: Cell<bool>,
    /// The end was asked for through the supervisor.
    pub(crate) end_requested: Cell<bool>,
}

/// What the last incarnation said about itself.
struct ToldState {
    strategy: ValidStrategy,
    error_types: KnownErrors,
}

thread_local! {
    /// The errors every actor's supervisor recognises.
    static STANDARD: KnownErrors = KnownErrors::standard()
        .with::<actix::MailboxError>()
        .with::<serde_json::Error>()
        .with::<tokio::task::JoinError>()
        .with::<tokio::time::error::Elapsed>()
        .with::<tokio::sync::oneshot::error::RecvError>()
        .with::<tokio::sync::AcquireError>()
        .with::<uuid::Error>();
}

impl<A: Actor<Context = Context<A>>> Shared<A> {
    pub(crate) fn new(
        mailbox: Mailbox<A>,
        port: Option<Port<A>>,
        path: Rc<str>,
        strategy: Option<ValidStrategy>,
        settings: Rc<Settings>,
        hooks: &'static Hooks<A>,
    ) -> Rc<Self> {
        Rc::new(Self {
            mailbox: RefCell::new(Some(mailbox)),
            port: RefCell::new(port),
            ledger: RefCell::new(None),
            told: RefCell::new(None),
            strategy,
            path: RefCell::new(path),
            settings,
            hooks,
            incarnation: Cell::new(0),
            keep_alive: Cell::new(None),
            pump: Cell::new(PumpState::Missing),
            status: Cell::new(Status::Starting),
            reported: Cell::new(false),
            end_requested: Cell::new(false),
        })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn hooks(&self) -> &'static Hooks<A> {
        self.hooks
    }

    pub(crate) fn path(&self) -> String {
        self.path.borrow().to_string()
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

    /// The strategy in force: the one given at the start, else what the last incarnation said, else
    /// the default.
    pub(crate) fn strategy(&self) -> ValidStrategy {
        let told = || {
            self.told
                .borrow()
                .as_ref()
                .map(|told| told.strategy.clone())
        };
        self.strategy.clone().or_else(told).unwrap_or_default()
    }

    /// The memory, made when it is first needed. Never held while code of the user's runs.
    pub(crate) fn ledger(&self) -> RefMut<'_, Ledger<A>> {
        RefMut::map(self.ledger.borrow_mut(), |ledger| {
            &mut **ledger
                .get_or_insert_with(|| Box::new(Ledger::new(self.settings.history_capacity)))
        })
    }

    /// The memory, if there is one yet.
    pub(crate) fn known_ledger(&self) -> Option<Ref<'_, Ledger<A>>> {
        Ref::filter_map(self.ledger.borrow(), |ledger| ledger.as_deref()).ok()
    }

    fn has_ledger(&self) -> bool {
        self.ledger.borrow().is_some()
    }
}

/// The address.
impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// The actor's address, for as long as it has not ended.
    pub(crate) fn address(&self) -> Option<Addr<A>> {
        self.mailbox.borrow().as_ref().map(Mailbox::address)
    }

    /// Whether `other` is this actor's address.
    pub(crate) fn is_address(&self, other: &Addr<A>) -> bool {
        self.address().is_some_and(|own| own == *other)
    }

    /// Whether anybody can still reach the actor or its supervisor.
    pub(crate) fn is_referenced(&self) -> bool {
        self.mailbox
            .borrow()
            .as_ref()
            .is_some_and(Mailbox::connected)
            || self.port.borrow().as_ref().is_some_and(Port::connected)
    }

    pub(crate) fn poll_mailbox(&self, task: &mut TaskContext<'_>) -> Poll<Envelope<A>> {
        match self.mailbox.borrow_mut().as_mut() {
            Some(mailbox) => mailbox.poll_next(task),
            None => Poll::Pending,
        }
    }

    /// Leaves the mailbox's waker registered; tells whether a message is waiting.
    pub(crate) fn watch_mailbox(&self, task: &mut TaskContext<'_>) -> bool {
        self.mailbox
            .borrow_mut()
            .as_mut()
            .is_some_and(|mailbox| mailbox.watch(task))
    }

    /// Gives a new incarnation's context the actor's address.
    pub(crate) fn adopt_context(&self, ctx: &mut Context<A>) {
        use actix::dev::AsyncContextParts;

        if let Some(mailbox) = self.mailbox.borrow_mut().as_mut() {
            mailbox.reset_capacity(self.settings.mailbox_capacity);
            *ctx.parts() = mailbox.context_parts();
        }
    }
}

/// Failures on their way to a decision.
impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// Queues a failure of the incarnation; `false` if too many are waiting already.
    pub(crate) fn enter(&self, entered: Entered<A>) -> bool {
        let mut ledger = self.ledger();
        let room = ledger.entered.len() < MAX_ENTERED;
        if room {
            ledger.entered.push_back(entered);
        }
        room
    }

    pub(crate) fn has_entered(&self) -> bool {
        self.known_ledger()
            .is_some_and(|ledger| !ledger.entered.is_empty())
    }

    pub(crate) fn next_entered(&self) -> Option<Entered<A>> {
        if self.has_ledger() {
            self.ledger().entered.pop_front()
        } else {
            None
        }
    }

    /// A failure reported from outside.
    pub(crate) fn report(&self, cause: Cause, reporter: Reporter<A>) {
        let entered = Entered {
            cause,
            resumable: true,
            reporter,
        };
        match self.status.get() {
            Status::Starting | Status::Running => {
                if self.enter(entered) {
                    self.reported.set(true);
                }
            }
            // The incarnation it is about has failed already.
            Status::Waiting => self.supersede(&entered.cause, entered.reporter),
            Status::Ended => answer(vec![entered.reporter], || None),
        }
    }

    /// Whether failures were reported since the last call.
    pub(crate) fn take_reported(&self) -> bool {
        self.reported.take()
    }

    /// Records a failure of an incarnation whose end is decided; its reporter learns what becomes of
    /// the actor.
    pub(crate) fn supersede(&self, cause: &Cause, reporter: Reporter<A>) {
        let mut ledger = self.ledger();
        let info = ledger.describe(cause, self.path(), self.settings.node_id.clone());
        ledger.record(FailureRecord::new(info, None));
        ledger.join(reporter);
    }

    pub(crate) fn set_verdict(&self, verdict: Verdict) {
        self.ledger().verdict = Some(verdict);
    }

    pub(crate) fn has_verdict(&self) -> bool {
        self.known_ledger()
            .is_some_and(|ledger| ledger.verdict.is_some())
    }

    pub(crate) fn take_verdict(&self) -> Option<Verdict> {
        if self.has_ledger() {
            self.ledger().verdict.take()
        } else {
            None
        }
    }

    /// The types by which an erased error of this actor's can be recognised, the actor's own first.
    pub(crate) fn with_known_errors<R>(&self, f: impl FnOnce(&KnownErrors) -> R) -> R {
        let told = self.told.borrow();
        let own = told.as_ref().map(|told| &told.error_types);
        if self.settings.known.is_empty() && own.is_none_or(KnownErrors::is_empty) {
            return STANDARD.with(f);
        }
        let mut known = self.settings.known.clone();
        if let Some(own) = own {
            known.extend(own);
        }
        drop(told);
        STANDARD.with(|standard| known.extend(standard));
        f(&known)
    }
}

/// Starts and ends.
impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// A new incarnation begins.
    pub(crate) fn begin_incarnation(&self) {
        self.incarnation.set(self.incarnation.get() + 1);
        self.status.set(Status::Starting);
        self.pump.set(PumpState::Missing);
        self.keep_alive.set(None);
    }

    /// Takes over what a new incarnation says about itself.
    pub(crate) fn listen(&self, told: Told) -> Result<(), EndReason> {
        let Told {
            path,
            strategy,
            error_types,
        } = told;
        if **self.path.borrow() != *path {
            *self.path.borrow_mut() = path.into();
        }
        if self.strategy.is_some() && error_types.is_empty() {
            return Ok(());
        }
        let strategy = ValidStrategy::new(strategy).map_err(|e| EndReason::invalid(&e))?;
        *self.told.borrow_mut() = Some(Box::new(ToldState {
            strategy,
            error_types,
        }));
        Ok(())
    }

    /// What is left to do once `started`, and what it waited for, have run.
    pub(crate) fn finish_start(self: &Rc<Self>, actor: &mut A, ctx: &mut Context<A>) {
        let recovering = if self.has_ledger() {
            self.ledger().recovering.take()
        } else {
            None
        };
        if let Some(failure) = recovering {
            let hook = self.hooks.after_restart;
            if let Err(panic) = caught(|| hook(actor, ctx, Some(failure.clone()))) {
                suspension::suspend(self, ctx, Entered::fatal(panic));
                return;
            }
            self.ledger().count_restart();
            let outcome = self.close_record(Outcome::Restarted);
            let (path, incarnation) = (self.path(), self.incarnation());
            tracing::info!(path, incarnation, "actor restarted");
            self.emit(|| SupervisionEvent::Restarted {
                path,
                incarnation,
                failure,
                outcome,
            });
            drop_guarded(self.ledger().take_all_handed());
        } else {
            self.emit(|| SupervisionEvent::Started { path: self.path() });
        }
        self.status.set(Status::Running);
        self.answer_reporters();
    }

    /// The delay before the next incarnation runs.
    pub(crate) fn begin_waiting(&self) {
        self.status.set(Status::Waiting);
    }

    /// Nothing comes any more: the mailbox closes, and everybody who waits is told.
    pub(crate) fn end(&self, reason: EndReason) {
        self.status.set(Status::Ended);
        // Messages are dropped with the mailbox; their destructors are the user's.
        drop_guarded(self.mailbox.borrow_mut().take());
        if self.has_ledger() {
            self.close_record(reason.outcome());
            drop_guarded(self.ledger().take_all_handed());
            self.answer_reporters();
        }
        match &reason {
            EndReason::Finished | EndReason::Unreferenced | EndReason::Requested => {
                tracing::debug!(path = %self.path.borrow(), ?reason, "actor ended");
            }
            _ => tracing::error!(path = %self.path.borrow(), ?reason, "actor ended"),
        }
        self.emit(|| SupervisionEvent::Ended {
            path: self.path(),
            reason,
        });
    }

    pub(crate) fn answer_reporters(&self) {
        if self.has_ledger() {
            let reporters = self.ledger().take_reporters();
            answer(reporters, || self.address());
        }
    }

    pub(crate) fn record(&self, record: FailureRecord) {
        tracing::warn!(
            path = record.info.actor_path,
            error_type = record.info.error_type,
            error = record.info.error,
            decision = ?record.decision,
            "actor failed"
        );
        self.ledger().record(record);
    }

    pub(crate) fn close_record(&self, outcome: Outcome) -> Outcome {
        self.ledger().close_record(outcome)
    }

    /// Tells the observer, if there is one; the event is made only then.
    pub(crate) fn emit(&self, event: impl FnOnce() -> SupervisionEvent) {
        if let Some(observer) = &self.settings.observer
            && let Err(panic) = caught(|| observer(&event()))
        {
            tracing::error!(
                error = panic.message(),
                "an observer of supervision events panicked"
            );
        }
    }
}
