//! Who an input is for, and what each part of the machine is lent while it works on one.

use super::*;

impl NodeMachine {
    /// Remembers who is to hear the answers to what has been put into the tray since `mark`.
    pub(super) fn note_waiters(&mut self, tray: &[Command], mark: usize, waiter: &Waiter) {
        for command in &tray[mark..] {
            if let Command::Read(ticket, _) | Command::Write { ticket, .. } = command {
                self.waiters
                    .entry(*ticket)
                    .or_insert_with(|| waiter.clone());
            }
        }
    }

    pub(super) fn with_lease(
        &mut self,
        now: Timestamp,
        tray: &mut Vec<Command>,
        work: impl FnOnce(&mut Lease, &mut Desk<'_>, LeaseTerms) -> LeaseNews,
    ) -> LeaseNews {
        let mark = tray.len();
        let due = self.lease.next_wake().is_some_and(|at| now >= at);
        if due && self.starting.is_empty() {
            self.lease.confirm(self.started.take());
        }
        let (lease, mut desk) = (&mut self.lease, desk!(self, now, tray));
        let news = work(lease, &mut desk, self.settings.terms);
        self.note_waiters(tray, mark, &Waiter::Lease);
        news
    }

    pub(super) fn with_observer<T>(
        &mut self,
        now: Timestamp,
        tray: &mut Vec<Command>,
        work: impl FnOnce(&mut Observer, &mut Desk<'_>, LeaseTerms) -> T,
    ) -> T {
        let mark = tray.len();
        let (observer, mut desk) = (&mut self.observer, desk!(self, now, tray));
        let result = work(observer, &mut desk, self.settings.terms);
        let silence = self.settings.terms.silence();
        self.observer_wake = self.observer.next_wake(&self.me, silence);
        self.note_waiters(tray, mark, &Waiter::Observer);
        result
    }

    pub(super) fn with_caller(
        &mut self,
        now: Timestamp,
        tray: &mut Vec<Command>,
        work: impl FnOnce(&mut Caller, &mut Desk<'_>, LeaseTerms, &Observer),
    ) {
        let mark = tray.len();
        let (caller, mut desk) = (&mut self.caller, desk!(self, now, tray));
        work(caller, &mut desk, self.settings.terms, &self.observer);
        self.note_waiters(tray, mark, &Waiter::Caller);
    }

    pub(super) fn with_path(
        &mut self,
        path: &ActorPath,
        now: Timestamp,
        tray: &mut Vec<Command>,
        work: impl FnOnce(&mut Path, &mut Desk<'_>, Context<'_>),
    ) {
        let mark = tray.len();
        let valid = self.may_act(now);
        let Some(at) = self.paths.get_mut(path) else {
            return;
        };
        let mut desk = desk!(self, now, tray);
        let cx = Context {
            terms: self.settings.terms,
            limits: &self.settings.limits,
            valid,
            observer: &self.observer,
        };
        work(at, &mut desk, cx);
        self.settle(path, now, tray, mark);
    }

    /// Makes a path and puts it into its place, over what was there.
    pub(super) fn make(
        &mut self,
        path: &ActorPath,
        now: Timestamp,
        tray: &mut Vec<Command>,
        work: impl FnOnce(&mut Desk<'_>, Context<'_>) -> Path,
    ) {
        let mark = tray.len();
        let new = self.with_desk(now, tray, work);
        if let Some(old) = self.paths.insert(path.clone(), new)
            && let Some(at) = old.wake
        {
            self.timers.remove(&(at, path.clone()));
        }
        self.settle(path, now, tray, mark);
    }

    pub(super) fn with_desk<T>(
        &mut self,
        now: Timestamp,
        tray: &mut Vec<Command>,
        work: impl FnOnce(&mut Desk<'_>, Context<'_>) -> T,
    ) -> T {
        let valid = self.may_act(now);
        let mut desk = desk!(self, now, tray);
        let cx = Context {
            terms: self.settings.terms,
            limits: &self.settings.limits,
            valid,
            observer: &self.observer,
        };
        work(&mut desk, cx)
    }

    /// Brings the indexes up to date with a path that was worked on.
    fn settle(&mut self, path: &ActorPath, now: Timestamp, tray: &mut Vec<Command>, mark: usize) {
        self.note_waiters(tray, mark, &Waiter::Path(path.clone()));
        let Some(at) = self.paths.get_mut(path) else {
            return;
        };
        let (gone, unproven) = (at.is_gone(), at.is_unproven());
        let wake = if gone { None } else { at.next_wake() };
        let old = std::mem::replace(&mut at.wake, wake);
        if old != wake {
            old.map(|at| self.timers.remove(&(at, path.clone())));
            wake.map(|at| self.timers.insert((at, path.clone())));
        }
        if unproven {
            self.starting.insert(path.clone());
        } else {
            self.starting.remove(path);
        }
        if gone {
            if let Some(place) = at.gone_to() {
                self.caller.learn(path, place);
            }
            self.paths.remove(path);
        }
        self.prove_next(now, tray);
    }

    /// A message from another node, or from itself.
    pub(super) fn peer(&mut self, message: PeerMessage, now: Timestamp, tray: &mut Vec<Command>) {
        match message {
            PeerMessage::Request(request) => self.request(request, now, tray),
            PeerMessage::Answer {
                id,
                path,
                place,
                answer,
            } => {
                self.with_caller(now, tray, |caller, desk, _, _| {
                    caller.answered(desk, &id, &path, place, answer);
                });
            }
            PeerMessage::NotHandled { id, path, by, why } => {
                self.with_caller(now, tray, |caller, desk, terms, _| {
                    caller.not_handled(desk, terms, &id, &path, &by, why);
                });
            }
            PeerMessage::Take(take) => self.taken_over(take, now, tray),
            PeerMessage::Taken { path, epoch } => {
                self.with_path(&path, now, tray, |path, _, _| path.taken(epoch));
            }
        }
    }

    fn request(&mut self, request: Request, now: Timestamp, tray: &mut Vec<Command>) {
        if !self.may_act(now) {
            let why = NotHandled::Refused(Refusal::Fenced);
            return self.with_desk(now, tray, |desk, _| not_handled(desk, &request, why));
        }
        let path = request.path.clone();
        if !self.paths.contains_key(&path) {
            // It may have been here, and the node knows where it went; else the store does.
            let known = self
                .caller
                .place(&path)
                .filter(|place| place.owner != self.me);
            if let Some(place) = known.filter(|place| place.epoch > request.epoch).cloned() {
                let why = NotHandled::Moved(place);
                return self.with_desk(now, tray, |desk, _| not_handled(desk, &request, why));
            }
            self.look(&path, now, tray);
        }
        self.with_path(&path, now, tray, |path, desk, cx| {
            path.arrive(desk, cx, request)
        });
    }

    pub(super) fn look(&mut self, path: &ActorPath, now: Timestamp, tray: &mut Vec<Command>) {
        self.make(path, now, tray, |desk, _| Path::look(desk, path.clone()));
    }

    /// A living owner hands an actor over to this node.
    fn taken_over(&mut self, take: Take, now: Timestamp, tray: &mut Vec<Command>) {
        let durability = self.settings.kinds.get(&take.kind).copied();
        let Some(durability) = durability.filter(|_| self.may_act(now)) else {
            return;
        };
        let (path, from, epoch) = (take.path.clone(), take.from.clone(), take.epoch);
        match self.paths.get_mut(&path) {
            Some(at) if at.latest_epoch().is_some_and(|known| known >= epoch) => {
                self.with_path(&path, now, tray, |path, desk, cx| {
                    path.take_more(desk, cx, take)
                });
            }
            // A claim of this node's own is under way. What comes of it is not known yet, and the
            // old owner will send this again.
            Some(at) if !at.is_waiting_for_take() => return,
            at => {
                let me = &self.me;
                let waiting = at.map(|at| at.waiting(&take, me)).unwrap_or_default();
                self.make(&path, now, tray, |desk, cx| {
                    Path::take(desk, cx, durability, take, waiting)
                });
            }
        }
        let taken = PeerMessage::Taken { path, epoch };
        self.with_desk(now, tray, |desk, _| desk.send(&from, taken));
    }

    pub(super) fn create(
        &mut self,
        path: ActorPath,
        kind: KindName,
        owner: Member,
        now: Timestamp,
        tray: &mut Vec<Command>,
    ) {
        let Some(durability) = self.settings.kinds.get(&kind).copied() else {
            return tray.push(Command::Report(Report::UnknownKind(path, kind)));
        };
        let stranger = owner != self.me && !self.may_be_given(&owner);
        if stranger || self.paths.contains_key(&path) || !self.may_act(now) {
            return tray.push(Command::Report(Report::NotCreated(
                path.clone(),
                self.place(&path),
            )));
        }
        self.make(&path, now, tray, |desk, _| {
            Path::create(desk, path.clone(), kind, durability, owner)
        });
    }
}
