//! What may happen around a group, at random or on purpose.

use std::time::Duration;

use supervision_core::{
    Cause, RestartType, SupervisionStrategy,
    group::{
        ChildId, ChildSpec, ChildStatus, Exit, Incarnation, Input, Request, RequestId, Shutdown,
        Verdict,
    },
};

use crate::{
    group_property::restart,
    group_world::{Life, World},
    rng::Rng,
};

impl World {
    fn next_failure(&mut self, rng: &mut Rng) -> Cause {
        self.named += 1;
        let message = format!("failure {}", self.named);
        self.failures.insert(message.clone());
        Cause::named(rng.pick(&["app::Io", "app::Other"]), message)
    }

    /// Lives in a state.
    pub(crate) fn all(&self, wanted: impl Fn(Life) -> bool) -> Vec<Incarnation> {
        let lives = self.lives.iter().filter(|(_, (_, life))| wanted(*life));
        lives.map(|(incarnation, _)| *incarnation).collect()
    }

    pub(crate) fn answer_start(&mut self, incarnation: Incarnation, fails: bool, rng: &mut Rng) {
        let entropy = rng.bits();
        if fails {
            self.lives.remove(&incarnation);
            let cause = self.next_failure(rng);
            self.feed(Input::StartFailed(incarnation, cause), entropy);
        } else {
            self.lives.get_mut(&incarnation).expect("it lives").1 = Life::Running;
            self.feed(Input::Started(incarnation), entropy);
        }
    }

    pub(crate) fn answer_stop(&mut self, incarnation: Incarnation, rng: &mut Rng) {
        self.lives.remove(&incarnation);
        self.feed(Input::Stopped(incarnation), rng.bits());
    }

    pub(crate) fn exit(&mut self, incarnation: Incarnation, rng: &mut Rng) {
        let exit = match rng.below(10) {
            0 => Exit::Normal,
            1 => Exit::Shutdown,
            _ => return self.fail(incarnation, rng),
        };
        self.lives.remove(&incarnation);
        self.feed(Input::Exited(incarnation, exit), rng.bits());
    }

    pub(crate) fn fail(&mut self, incarnation: Incarnation, rng: &mut Rng) {
        self.lives.remove(&incarnation);
        let exit = Exit::Failed(self.next_failure(rng));
        self.feed(Input::Exited(incarnation, exit), rng.bits());
    }

    pub(crate) fn suspend(&mut self, incarnation: Incarnation, rng: &mut Rng) {
        self.lives.get_mut(&incarnation).expect("it lives").1 = Life::Suspended;
        let cause = self.next_failure(rng);
        self.feed(Input::Suspended(incarnation, cause), rng.bits());
    }

    /// Lets the time of the earliest delay come, if there is one.
    pub(crate) fn elapse(&mut self, rng: &mut Rng) {
        let earliest = (0..self.delays.len()).min_by_key(|at| self.delays[*at].1);
        if let Some(at) = earliest {
            let (token, due) = self.delays.swap_remove(at);
            self.now = self.now.max(due);
            self.feed(Input::Elapsed(token), rng.bits());
        }
    }

    pub(crate) fn answer_parent(&mut self, verdict: Verdict, rng: &mut Rng) {
        if let Some(incarnation) = self.escalated.take() {
            self.feed(Input::Answered(incarnation, verdict), rng.bits());
        }
    }

    pub(crate) fn ask(&mut self, request: Request, rng: &mut Rng) {
        let id = RequestId(self.unanswered.len() as u64 + self.answered.len() as u64);
        if let Request::Terminate(child) = &request {
            self.ended_on_purpose.insert(child.clone());
        }
        self.unanswered.insert(id, request.clone());
        self.feed(Input::Request(id, request), rng.bits());
    }

    pub(crate) fn random_request(&mut self, rng: &mut Rng) {
        let ids: Vec<_> = self.group.children().map(|(id, _)| id.clone()).collect();
        let id = if ids.is_empty() || rng.below(10) == 0 {
            ChildId::from("nobody")
        } else {
            ids[rng.below(ids.len() as u64) as usize].clone()
        };
        let any = |rng: &mut Rng| {
            let delay = Duration::from_secs(rng.below(3));
            rng.pick(&[
                &restart(20, delay),
                &SupervisionStrategy::Resume,
                &SupervisionStrategy::Escalate,
            ])
            .clone()
        };
        let request = match rng.below(6) {
            0 => Request::Terminate(id),
            1 => Request::Restart(id),
            2 => Request::Delete(id),
            3 => Request::ChangeStrategy(any(rng)),
            4 => Request::ChangeChildStrategy(id, (rng.below(2) == 0).then(|| any(rng))),
            _ => {
                self.named += 1;
                let spec = ChildSpec::new(format!("added {}", self.named));
                let spec = spec.with_restart_type(RestartType::Permanent);
                self.types
                    .insert(spec.id.as_str().into(), spec.restart_type);
                Request::Add(spec)
            }
        };
        self.ask(request, rng);
    }

    /// Does all that is to be done, with success, until nothing is under way.
    pub(crate) fn settle(&mut self, rng: &mut Rng) {
        for _ in 0..10_000 {
            if let Some(life) = self.all(|life| life == Life::Starting).first() {
                self.answer_start(*life, false, rng);
            } else if let Some(life) = self
                .all(|life| matches!(life, Life::Stopping { .. }))
                .first()
            {
                self.answer_stop(*life, rng);
            } else if self.escalated.is_some() {
                self.answer_parent(Verdict::Resume, rng);
            } else if !self.delays.is_empty() {
                self.elapse(rng);
            } else {
                return;
            }
        }
        panic!("the group never comes to rest");
    }

    /// Shuts down; each stop takes all of its timeout. Tells how long it took.
    pub(crate) fn shut_down(&mut self, rng: &mut Rng) -> Duration {
        let asked = self.now;
        self.feed(Input::ShutDown, rng.bits());
        while self.done.is_none() {
            let due = |life: &Incarnation| match self.lives[life].1 {
                Life::Stopping {
                    shutdown: Shutdown::Timeout(timeout),
                    since,
                } => since.saturating_add(timeout),
                _ => self.now,
            };
            let stopping = self.all(|life| matches!(life, Life::Stopping { .. }));
            let first = stopping
                .into_iter()
                .min_by_key(due)
                .expect("it waits for a child to stop");
            self.now = self.now.max(due(&first));
            self.answer_stop(first, rng);
        }
        Duration::from_nanos(self.now.as_nanos() - asked.as_nanos())
    }

    pub(crate) fn status(&self, id: &ChildId) -> Option<ChildStatus> {
        let mut children = self.group.children();
        children
            .find(|(child, _)| *child == id)
            .map(|(_, status)| status)
    }
}
