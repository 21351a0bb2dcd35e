//! The machine of one boot of a node: its lease, what it sees of the others', the paths it runs and
//! the messages it sends. One input and the time in, commands out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use supervision_core::Timestamp;

use super::{
    bug::{Bug, Bugs},
    caller::Caller,
    desk::{
        ActorEvent, CallOutcome, Command, Desk, Input, Order, ReadOutcome, Report, Ticket,
        WriteOutcome,
    },
    lease::{Lease, LeaseNews, LeaseTerms},
    link::Links,
    message::{NotHandled, PeerMessage, Place, Refusal, Request, Take},
    observer::Observer,
    path::{Context, Path, PathLimits, not_handled, place_of},
    record::{
        ActorPath, BootId, Durability, Epoch, KindName, LeaseRecord, Member, OwnRecord, OwnState,
        Record, RecordKey, Stored,
    },
    write::{Progress, Write},
};
use crate::engine::Revision;

/// A desk on the parts of a node's machine that every piece of work needs. A macro, because the
/// part that is worked on is lent at the same time.
macro_rules! desk {
    ($this:ident, $now:expr, $tray:expr) => {
        Desk {
            now: $now,
            me: &$this.me,
            counter: &mut $this.counter,
            tray: $tray,
            bugs: $this.settings.bugs,
        }
    };
}

mod lost;
mod orders;
mod routing;

use lost::Orphan;
use orders::refused;

/// What a node is told about the cluster when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeSettings {
    /// How long leases are.
    pub terms: LeaseTerms,
    /// How much one path may hold.
    pub limits: PathLimits,
    /// The kinds of actors that this node can run.
    pub kinds: BTreeMap<KindName, Durability>,
    /// Rules that are left out; none outside of tests.
    pub bugs: Bugs,
}

/// One boot of a node.
///
/// Feed it with [`handle`](Self::handle), at the latest when [`next_wake`](Self::next_wake) is due,
/// and carry out the commands in their order. Every [`Command::Read`] and [`Command::Write`] is to be
/// answered once, by [`ReadOutcome::Failed`] or [`WriteOutcome::Unknown`] if need be.
///
/// It knows neither a clock nor a store nor a network; the same inputs at the same times give the
/// same commands. The model checker, the simulation and the production driver run this type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeMachine {
    me: Member,
    settings: NodeSettings,
    lease: Lease,
    observer: Observer,
    observer_wake: Option<Timestamp>,
    paths: BTreeMap<ActorPath, Path>,
    timers: BTreeSet<(Timestamp, ActorPath)>,
    caller: Caller,
    waiters: BTreeMap<Ticket, Waiter>,
    /// Paths of lost members that are to be claimed, each at its time.
    turns: BTreeMap<ActorPath, Orphan>,
    turn_times: BTreeSet<(Timestamp, ActorPath)>,
    /// Paths that may have taken their owners down: they are claimed one after the other.
    suspects: VecDeque<(ActorPath, Orphan)>,
    proving: Option<ActorPath>,
    parking: BTreeMap<ActorPath, Write>,
    /// Paths that are claimed and do not serve yet.
    starting: BTreeSet<ActorPath>,
    /// The latest claim that has started since the last renewal.
    started: Option<Epoch>,
    links: Links,
    counter: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Waiter {
    Lease,
    Observer,
    Caller,
    Path(ActorPath),
    Parking(ActorPath),
}

impl NodeMachine {
    /// A new boot of a node, and what it wants done first.
    ///
    /// `stopped` is the boot before this one, with what it had confirmed, if the caller knows by
    /// itself that nothing of it runs any more; else this boot waits until that one is declared dead.
    pub fn new(
        me: Member,
        settings: NodeSettings,
        profile: Bytes,
        stopped: Option<(BootId, Option<Epoch>)>,
        now: Timestamp,
    ) -> (Self, Vec<Command>) {
        let mut counter = 0;
        let mut tray = Vec::new();
        let mut desk = Desk {
            now,
            me: &me,
            counter: &mut counter,
            tray: &mut tray,
            bugs: settings.bugs,
        };
        let lease = Lease::join(&mut desk, stopped, profile);
        let mut this = Self {
            me,
            settings,
            lease,
            observer: Observer::default(),
            observer_wake: None,
            paths: BTreeMap::new(),
            timers: BTreeSet::new(),
            caller: Caller::default(),
            waiters: BTreeMap::new(),
            turns: BTreeMap::new(),
            turn_times: BTreeSet::new(),
            suspects: VecDeque::new(),
            proving: None,
            parking: BTreeMap::new(),
            starting: BTreeSet::new(),
            started: None,
            links: Links::default(),
            counter,
        };
        this.note_waiters(&tray, 0, &Waiter::Lease);
        (this, tray)
    }

    /// This boot.
    pub fn me(&self) -> &Member {
        &self.me
    }

    /// Whether this boot may act at `now`. False before it has joined.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.valid_until().is_some_and(|until| now < until)
    }

    /// Whether it may act now, as the rules in force see it.
    fn may_act(&self, now: Timestamp) -> bool {
        self.is_valid(now) || (self.lease.is_held() && self.settings.bugs.has(Bug::NoSelfFence))
    }

    /// Until when this boot may act unless it renews its lease before.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.lease.valid_until()
    }

    /// Whether this boot is over: fenced, or it has left.
    pub fn is_over(&self) -> bool {
        self.lease.is_over()
    }

    /// What the next boot is to be told of this one.
    pub fn as_former(&self) -> (BootId, Option<Epoch>) {
        (self.me.boot, self.lease.confirmed())
    }

    /// The members that are not known to be gone, this one included once it sees itself.
    pub fn members(&self) -> impl Iterator<Item = &LeaseRecord> {
        self.observer.alive()
    }

    /// Where an actor was last known to run.
    pub fn place(&self, path: &ActorPath) -> Option<Place> {
        let here = self
            .paths
            .get(path)
            .filter(|p| p.is_owned())
            .and_then(Path::epoch);
        match here {
            Some(epoch) => Some(Place {
                owner: self.me.clone(),
                epoch,
            }),
            None => self.caller.place(path).cloned(),
        }
    }

    /// The activation of an actor that serves on this node.
    pub fn serving(&self, path: &ActorPath) -> Option<Epoch> {
        self.paths
            .get(path)
            .filter(|p| p.is_serving())
            .and_then(Path::epoch)
    }

    /// Whether an actor of this node may be given messages past the protocol: nothing that came
    /// before them waits for it, and it is not about to leave.
    pub fn is_clear(&self, path: &ActorPath) -> bool {
        self.paths.get(path).is_some_and(Path::is_clear)
    }

    /// The paths that this node owns.
    pub fn owned(&self) -> impl Iterator<Item = (&ActorPath, Epoch)> {
        let owned = |at: &Path| at.epoch().filter(|_| at.is_owned());
        self.paths
            .iter()
            .filter_map(move |(path, at)| Some((path, owned(at)?)))
    }

    /// Whether it runs, takes or hands over any actor.
    pub fn has_paths(&self) -> bool {
        !self.paths.is_empty()
    }

    /// Whether it has nothing of anybody's in its hands.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.caller.len() == 0
    }

    /// Lets the next renewal tell this to the others.
    pub fn set_profile(&mut self, profile: Bytes) {
        self.lease.set_profile(profile);
    }

    /// When it wants to be called at the latest.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let turns = self.turn_times.first().map(|(at, _)| *at);
        let parking = self.parking.values().filter_map(Write::next_wake).min();
        let paths = self.timers.first().map(|(at, _)| *at);
        [
            self.lease.next_wake(),
            self.observer_wake,
            paths,
            turns,
            parking,
            self.caller.next_wake(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Takes one input at `now`, which never goes back. Returns what is to be done, in this order.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Vec<Command> {
        let mut tray = Vec::new();
        // Time first: whatever has run out by now has done so before this input.
        if !self.is_over() {
            self.tick(now, &mut tray);
        }
        if self.is_over() {
            tray.extend(refused(input));
        } else {
            self.take(input, now, &mut tray);
            self.talk_to_itself(now, &mut tray);
        }
        self.number(&mut tray);
        tray
    }

    fn number(&mut self, tray: &mut [Command]) {
        for command in tray {
            if let Command::Send(to, letter) = command {
                letter.number = self.links.number(to);
            }
        }
    }

    /// Takes what it has sent to itself as if it had arrived.
    fn talk_to_itself(&mut self, now: Timestamp, tray: &mut Vec<Command>) {
        let mut next = 0;
        while next < tray.len() && !self.is_over() {
            if matches!(&tray[next], Command::Send(to, _) if *to == self.me) {
                let Command::Send(_, letter) = tray.remove(next) else {
                    continue;
                };
                self.peer(letter.message, now, tray);
            } else {
                next += 1;
            }
        }
    }

    fn tick(&mut self, now: Timestamp, tray: &mut Vec<Command>) {
        let news = self.with_lease(now, tray, |lease, desk, _| lease.tick(desk));
        self.lease_news(news, now, tray);
        if self.is_over() {
            return;
        }
        if self.observer_wake.is_some_and(|at| now >= at) {
            self.with_observer(now, tray, |observer, desk, terms| {
                observer.tick(desk, terms)
            });
        }
        while let Some((at, path)) = self.timers.first().cloned()
            && now >= at
        {
            self.timers.pop_first();
            if let Some(at) = self.paths.get_mut(&path) {
                at.wake = None;
            }
            self.with_path(&path, now, tray, |path, desk, cx| path.tick(desk, cx));
        }
        self.take_turns(now, tray);
        self.tick_parking(now, tray);
        self.with_caller(now, tray, |caller, desk, terms, _| caller.tick(desk, terms));
        self.talk_to_itself(now, tray);
    }

    fn take(&mut self, input: Input, now: Timestamp, tray: &mut Vec<Command>) {
        match input {
            Input::Tick => {}
            Input::Written(ticket, outcome) => self.written(ticket, outcome, now, tray),
            Input::Read(ticket, outcome) => self.read(ticket, outcome, now, tray),
            Input::Lease(stored) => self.seen(stored, now, tray),
            Input::LeaseGone(_) => {}
            Input::Found {
                path,
                record,
                revision,
                rank,
            } => {
                self.found(path, Orphan { record, revision }, rank, now, tray);
            }
            Input::Peer(letter)
                if !self.links.take(&letter) && !self.settings.bugs.has(Bug::CopiesTaken) => {}
            Input::Peer(letter) => self.peer(letter.message, now, tray),
            Input::Call(call) => {
                if let Some(here) = self.place(&call.path).filter(|it| it.owner == self.me) {
                    self.caller.learn(&call.path, here);
                }
                self.with_caller(now, tray, |caller, desk, terms, _| {
                    caller.call(desk, terms, call)
                });
            }
            Input::Actor(path, epoch, event) => self.actor(&path, epoch, event, now, tray),
            Input::Order(order) => self.order(order, now, tray),
        }
    }

    fn written(
        &mut self,
        ticket: Ticket,
        outcome: WriteOutcome,
        now: Timestamp,
        tray: &mut Vec<Command>,
    ) {
        match self.waiters.remove(&ticket) {
            Some(Waiter::Lease) => {
                let news = self.with_lease(now, tray, |lease, desk, terms| {
                    lease.written(desk, ticket, outcome, terms)
                });
                self.lease_news(news, now, tray);
            }
            Some(Waiter::Observer) => {
                let news = self.with_observer(now, tray, |observer, desk, _| {
                    observer.written(desk, ticket, outcome)
                });
                news.into_iter()
                    .for_each(|stored| self.seen(stored, now, tray));
            }
            Some(Waiter::Path(path)) => {
                self.with_path(&path, now, tray, |path, desk, cx| {
                    path.written(desk, cx, ticket, outcome);
                });
            }
            Some(Waiter::Parking(path)) => {
                self.with_parking(&path, now, tray, |write, desk| {
                    write.written(desk, ticket, outcome)
                });
            }
            Some(Waiter::Caller) | None => {}
        }
    }

    fn read(
        &mut self,
        ticket: Ticket,
        outcome: ReadOutcome,
        now: Timestamp,
        tray: &mut Vec<Command>,
    ) {
        let pause = self.settings.terms.pause();
        match self.waiters.remove(&ticket) {
            Some(Waiter::Lease) => {
                if let ReadOutcome::Entry(stored) = &outcome {
                    self.seen(stored.clone(), now, tray);
                }
                let news = self.with_lease(now, tray, |lease, desk, terms| {
                    lease.read(desk, ticket, outcome, terms)
                });
                self.lease_news(news, now, tray);
            }
            Some(Waiter::Observer) => {
                let news = self.with_observer(now, tray, |observer, desk, terms| {
                    observer.read(desk, ticket, &outcome, terms)
                });
                news.into_iter()
                    .for_each(|stored| self.seen(stored, now, tray));
            }
            Some(Waiter::Caller) => {
                self.with_caller(now, tray, |caller, desk, terms, observer| {
                    caller.read(desk, terms, observer, ticket, outcome);
                });
            }
            Some(Waiter::Path(path)) => self.path_read(&path, ticket, outcome, now, tray),
            Some(Waiter::Parking(path)) => {
                self.with_parking(&path, now, tray, |write, desk| {
                    write.read(desk, ticket, outcome, pause)
                });
            }
            None => {}
        }
    }

    fn lease_news(&mut self, news: LeaseNews, now: Timestamp, tray: &mut Vec<Command>) {
        match news {
            LeaseNews::None => {}
            LeaseNews::Joined => tray.push(Command::Report(Report::Joined)),
            LeaseNews::Left => self.left(now, tray),
            LeaseNews::Lost => self.fence(now, tray),
        }
    }

    /// The lease is given back. What was still waited for is settled, since nobody will hear of it.
    fn left(&mut self, now: Timestamp, tray: &mut Vec<Command>) {
        self.caller.fence(&mut desk!(self, now, tray));
        tray.push(Command::Report(Report::Left));
    }

    /// The lease has run out: nothing of this boot counts any more.
    fn fence(&mut self, now: Timestamp, tray: &mut Vec<Command>) {
        let mut desk = desk!(self, now, tray);
        for path in self.paths.values_mut() {
            path.let_go(&mut desk, &NotHandled::Refused(Refusal::Fenced));
        }
        self.caller.fence(&mut desk);
        self.paths.clear();
        self.timers.clear();
        self.starting.clear();
        // What it refused of its own has been settled by the fencing of the caller.
        tray.retain(|command| !matches!(command, Command::Send(to, _) if *to == self.me));
        tray.push(Command::Fenced);
    }

    fn actor(
        &mut self,
        path: &ActorPath,
        epoch: Epoch,
        event: ActorEvent,
        now: Timestamp,
        tray: &mut Vec<Command>,
    ) {
        if self.paths.get(path).and_then(Path::epoch) != Some(epoch) {
            return;
        }
        if event == ActorEvent::Started {
            self.started = self.started.max(Some(epoch));
        }
        self.with_path(path, now, tray, |path, desk, cx| match event {
            ActorEvent::Started => path.started(desk, cx),
            ActorEvent::Handled {
                answers,
                back,
                state,
            } => {
                path.handled(desk, cx, answers, back, state);
            }
            ActorEvent::Packed { state, luggage } => path.packed(desk, state, luggage),
            ActorEvent::Ended => path.ended_by_itself(desk, cx),
        });
    }
}
