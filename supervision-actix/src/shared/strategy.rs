//! Which strategy is in force: the one it was changed to, the one given at the start, or what the
//! last incarnation said. Nothing is decided here.

use actix::{Actor, Context};
use supervision_core::{InvalidStrategy, KnownErrors, SupervisionStrategy, ValidStrategy};

use super::Shared;
use crate::{
    event::{EndReason, SupervisionEvent},
    hooks::Told,
    known::with_standard,
};

/// What the last incarnation said about itself.
pub(super) struct ToldState {
    pub(super) path: Option<String>,
    /// Invalid only while another strategy is in force.
    strategy: Result<ValidStrategy, Box<InvalidStrategy>>,
    error_types: KnownErrors,
}

impl<A: Actor<Context = Context<A>>> Shared<A> {
    /// Calls `f` with the strategy in force.
    pub(crate) fn with_strategy<R>(&self, f: impl FnOnce(&ValidStrategy) -> R) -> R {
        let changed = self.rare.get().map(|rare| rare.changed.borrow());
        match changed.as_ref().and_then(|changed| changed.as_ref()) {
            Some(changed) => f(changed),
            None => self.with_configured(|configured| {
                // An invalid one has ended the actor, or was told while another was in force, and
                // then there is no way back to it.
                f(configured.unwrap_or(&ValidStrategy::default()))
            }),
        }
    }

    /// Calls `f` with the strategy that goes as long as it is not changed: the one given at the
    /// start, else what the last incarnation said, else the default.
    fn with_configured<R>(
        &self,
        f: impl FnOnce(Result<&ValidStrategy, &InvalidStrategy>) -> R,
    ) -> R {
        if let Some(strategy) = &self.spec.strategy {
            return f(Ok(strategy));
        }
        let told = self.rare.get().map(|rare| rare.told.borrow());
        match told.as_ref().and_then(|told| told.as_ref()) {
            Some(told) => f(told.strategy.as_ref().map_err(|problem| &**problem)),
            None => f(Ok(&ValidStrategy::default())),
        }
    }

    /// Puts a strategy in force until it is changed again.
    pub(crate) fn change_strategy(&self, to: ValidStrategy) {
        self.replace_strategy(Some(Box::new(to)));
    }

    /// Puts the configured strategy in force again; refused, and nothing changed, if it is invalid.
    pub(crate) fn return_strategy(&self) -> Result<(), InvalidStrategy> {
        if !self.is_changed() {
            return Ok(());
        }
        self.with_configured(|configured| configured.map(drop).map_err(Clone::clone))?;
        self.replace_strategy(None);
        Ok(())
    }

    fn is_changed(&self) -> bool {
        let rare = self.rare.get();
        rare.is_some_and(|rare| rare.changed.borrow().is_some())
    }

    fn replace_strategy(&self, changed: Option<Box<ValidStrategy>>) {
        let in_force = || self.with_strategy(|strategy| strategy.get().into_owned());
        let from = in_force();
        let configured = changed.is_none();
        *self.rare().changed.borrow_mut() = changed;
        let to: SupervisionStrategy = in_force();
        tracing::info!(path = self.path(), ?from, ?to, "strategy changed");
        self.emit(|| SupervisionEvent::StrategyChanged {
            path: self.path(),
            from,
            to,
            configured,
        });
    }

    /// Takes over what a new incarnation says about itself.
    pub(crate) fn listen(&self, told: Told) -> Result<(), EndReason> {
        let Told {
            path,
            strategy,
            error_types,
        } = told;
        let path = (path != self.spec.path.as_str()).then_some(path);
        let strategy = if self.spec.strategy.is_some() {
            Ok(ValidStrategy::default())
        } else {
            ValidStrategy::new(strategy)
        };
        if let Err(problem) = &strategy
            && !self.is_changed()
        {
            return Err(EndReason::invalid(problem));
        }
        let says_nothing = strategy == Ok(ValidStrategy::default()) && error_types.is_empty();
        if path.is_some() || !says_nothing || self.rare.get().is_some() {
            *self.rare().told.borrow_mut() = Some(ToldState {
                path,
                strategy: strategy.map_err(Box::new),
                error_types,
            });
        }
        Ok(())
    }

    /// The types by which an erased error of this actor's can be recognised, the actor's own first.
    pub(crate) fn with_known_errors<R>(&self, f: impl FnOnce(&KnownErrors) -> R) -> R {
        let told = self.rare.get().and_then(|rare| {
            rare.told
                .borrow()
                .as_ref()
                .map(|told| told.error_types.clone())
        });
        with_standard([self.spec.settings.known(), told.as_ref()], f)
    }
}
