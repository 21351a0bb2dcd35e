//! Changes of a running group: OTP's start_child, terminate_child, restart_child, delete_child,
//! and its strategies.

use crate::{
    group::{
        Group,
        check::InvalidGroup,
        message::{ChildId, Request, RequestError, RequestId},
        roster::{Asked, Key, State, Then},
        spec::ChildSpec,
    },
    policy::Policy,
    strategy::SupervisionStrategy,
};

impl Group {
    pub(super) fn carry_out(&mut self, id: RequestId, request: Request) {
        let outcome = match request {
            Request::Add(spec) => self.add(id, spec),
            Request::Terminate(child) => self
                .find(child.as_str())
                .and_then(|key| self.terminate(id, key)),
            Request::Restart(child) => self
                .find(child.as_str())
                .and_then(|key| self.start_again(id, key)),
            Request::Delete(child) => self
                .find(child.as_str())
                .and_then(|key| self.delete(id, key)),
            Request::ChangeStrategy(strategy) => self.change_strategy(id, strategy),
            Request::ChangeChildStrategy(child, strategy) => {
                self.change_child_strategy(id, &child, strategy)
            }
        };
        // What could be begun is answered when it is done.
        if let Err(refused) = outcome {
            self.reply(id, Err(refused));
        }
    }

    fn find(&self, child: &str) -> Result<Key, RequestError> {
        self.roster.key_of(child).ok_or(RequestError::NotFound)
    }

    fn add(&mut self, id: RequestId, spec: ChildSpec) -> Result<(), RequestError> {
        spec.validate(self.auto_shutdown, "child")?;
        if let Some(key) = self.roster.key_of(&spec.id) {
            return Err(match self.roster.state(key) {
                State::Down | State::Awaiting | State::Restarting { .. } => {
                    RequestError::AlreadyPresent
                }
                State::Starting { .. }
                | State::Running { .. }
                | State::Reported { .. }
                | State::Stopping { .. } => RequestError::AlreadyStarted,
            });
        }
        let invalid = |error| InvalidGroup::of_strategy(error, "child.strategy");
        let key = self.roster.push(spec).map_err(invalid)?;
        self.launch(key, Some(Asked::ToAdd(id)), None);
        Ok(())
    }

    fn terminate(&mut self, id: RequestId, key: Key) -> Result<(), RequestError> {
        match self.roster.state(key) {
            State::Starting { .. }
            | State::Running { .. }
            | State::Reported { alive: true, .. } => {
                self.stop(key, Then::Reply(id), false);
                return Ok(());
            }
            State::Stopping {
                incarnation,
                then: Then::Restart { .. },
            } => {
                let incarnation = *incarnation;
                self.roster.set(
                    key,
                    State::Stopping {
                        incarnation,
                        then: Then::Reply(id),
                    },
                );
                return Ok(());
            }
            State::Stopping { .. } => return Err(RequestError::Running),
            State::Restarting { .. } | State::Reported { alive: false, .. } => self.leave(key),
            State::Down | State::Awaiting => {}
        }
        self.reply(id, Ok(()));
        Ok(())
    }

    fn start_again(&mut self, id: RequestId, key: Key) -> Result<(), RequestError> {
        self.not_running(key)?;
        self.launch(key, Some(Asked::ToRestart(id)), None);
        Ok(())
    }

    fn delete(&mut self, id: RequestId, key: Key) -> Result<(), RequestError> {
        self.not_running(key)?;
        self.roster.remove(key);
        self.reply(id, Ok(()));
        Ok(())
    }

    fn change_strategy(
        &mut self,
        id: RequestId,
        strategy: SupervisionStrategy,
    ) -> Result<(), RequestError> {
        self.ruling.change_to(policy_of(strategy)?);
        self.reply(id, Ok(()));
        Ok(())
    }

    fn change_child_strategy(
        &mut self,
        id: RequestId,
        child: &ChildId,
        strategy: Option<SupervisionStrategy>,
    ) -> Result<(), RequestError> {
        let key = self.find(child.as_str())?;
        let policy = strategy.map(policy_of).transpose()?;
        self.roster.rule(key, policy);
        self.reply(id, Ok(()));
        Ok(())
    }

    fn not_running(&self, key: Key) -> Result<(), RequestError> {
        match self.roster.state(key) {
            State::Down | State::Awaiting => Ok(()),
            State::Restarting { .. } => Err(RequestError::Restarting),
            State::Starting { .. }
            | State::Running { .. }
            | State::Reported { .. }
            | State::Stopping { .. } => Err(RequestError::Running),
        }
    }
}

fn policy_of(strategy: SupervisionStrategy) -> Result<Policy, InvalidGroup> {
    Policy::new(strategy).map_err(|error| InvalidGroup::of_strategy(error, "strategy"))
}
