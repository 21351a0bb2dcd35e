//! Some nodes, a store and a network, as a value: what may happen next, what it leads to, and what must
//! never be.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use supervision_cluster::protocol::{
    ActorPath, BootId, Bug, Bugs, Call, CallOutcome, Command, Durability, Epoch, Input, KindName,
    LeaseTerms, Letter, Member, NodeMachine, NodeSettings, Order, OwnRecord, PathLimits,
    PeerMessage, ReadOutcome, Record, RecordKey, Repeat, Report, Stored, Ticket, WriteOutcome,
};
use supervision_core::{NodeId, Timestamp};
use uuid::Uuid;

use crate::{
    actor::{Actor, Work},
    store::{Put, Store},
};

/// One length of time of the world; a node's clock counts nine to eleven in it.
pub(crate) const STEP: u64 = 10;
/// The length of a lease on a node's own clock: four of the world's lengths.
pub(crate) const LEASE: u64 = 4 * STEP;

/// What a world is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Setup {
    pub(crate) nodes: u8,
    pub(crate) paths: u8,
    pub(crate) durability: Durability,
    pub(crate) repeat: Repeat,
    pub(crate) bug: Option<Bug>,
}

/// What may still go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) time: u16,
    pub(crate) calls: u8,
    pub(crate) moves: u8,
    pub(crate) crashes: u8,
    pub(crate) lost_answers: u8,
    pub(crate) late_writes: u8,
    pub(crate) dropped: u8,
    pub(crate) copied: u8,
    pub(crate) drifts: u8,
    pub(crate) failing: u8,
    pub(crate) stale_reads: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) budget: Budget,
    pub(crate) store: Store,
    pub(crate) nodes: Vec<Node>,
    /// Messages under way, in no order.
    pub(crate) wire: BTreeMap<(Member, Letter), u8>,
    /// Writes whose sender has given up on the answer, and that may yet be made.
    pub(crate) late: Vec<Put>,
    pub(crate) told: Told,
    /// Whether everything that happens is printed.
    pub(crate) traced: bool,
}

/// A node of the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) name: u8,
    pub(crate) boots: u8,
    pub(crate) clock: Timestamp,
    pub(crate) machine: Option<NodeMachine>,
    /// What was asked of the store, and not yet answered.
    pub(crate) asked: Vec<Command>,
    pub(crate) actors: BTreeMap<ActorPath, Actor>,
}

/// What has been seen so far; of this the invariants speak.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Told {
    pub(crate) started: BTreeMap<(ActorPath, Epoch), BTreeSet<Member>>,
    pub(crate) outcomes: BTreeMap<u64, CallOutcome>,
    pub(crate) asked: u8,
    /// Who asked what has no outcome yet.
    pub(crate) open: BTreeMap<u64, Member>,
    pub(crate) wrong: Option<&'static str>,
}

/// Something that may happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Happening {
    /// Time goes on; each node's clock by this much.
    Time(Vec<u8>),
    /// A node looks at its clock.
    Wake(usize),
    /// The store does what it was asked, in this way.
    Store(usize, usize, How),
    /// A late write is made.
    Late(usize),
    /// A message arrives; it may stay under way as well.
    Deliver(Member, Letter, bool),
    Drop(Member, Letter),
    /// A node sees what stands in another's lease.
    See(usize, NodeId),
    /// A node looks through all ownerships.
    Sweep(usize),
    /// An actor does what it has to do.
    Act(usize, ActorPath, bool),
    Call(usize, ActorPath),
    Move(usize, ActorPath, usize),
    Crash(usize),
    Boot(usize),
}

/// How the store treats what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum How {
    Well,
    /// Not done, and not answered.
    Lost,
    /// Done, and not answered.
    Silent,
    /// Not answered; perhaps done later.
    Late,
}

impl World {
    pub(crate) fn new(setup: Setup, budget: Budget) -> Self {
        let nodes = (0..setup.nodes).map(Node::new).collect();
        let mut world = Self {
            setup,
            budget,
            store: Store::default(),
            nodes,
            wire: BTreeMap::new(),
            late: Vec::new(),
            told: Told::default(),
            traced: false,
        };
        for node in 0..world.nodes.len() {
            world.boot(node, false);
            world.calm();
        }
        world.see_all();
        for path in 0..world.setup.paths {
            let owner = world.member(0);
            let order = Order::Create {
                path: path_name(path),
                kind: kind(),
                owner,
            };
            world.input(0, Input::Order(order));
            world.calm();
        }
        world
    }

    /// Everybody sees everybody's lease.
    pub(crate) fn see_all(&mut self) {
        for at in 0..self.nodes.len() {
            for of in 0..self.setup.nodes {
                self.see(at, &node_id(of));
            }
        }
    }

    /// Lets all that is under way arrive and be done, without faults.
    pub(crate) fn calm(&mut self) {
        for _ in 0..10_000 {
            if let Some(next) = self.work().into_iter().next() {
                self.happen(next);
            } else {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// What is under way and would be done next if nothing goes wrong.
    pub(crate) fn work(&self) -> Vec<Happening> {
        let mut all = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            all.extend((0..node.asked.len()).map(|i| Happening::Store(at, i, How::Well)));
            let busy = node
                .actors
                .iter()
                .filter(|(_, actor)| !actor.to_do.is_empty());
            all.extend(busy.map(|(path, _)| Happening::Act(at, path.clone(), false)));
        }
        let arrive = |((to, message), _): (&(Member, Letter), &u8)| {
            Happening::Deliver(to.clone(), message.clone(), false)
        };
        all.extend(self.wire.iter().map(arrive));
        all
    }

    pub(crate) fn happen(&mut self, what: Happening) {
        if self.traced {
            trace(&what);
            if let Happening::Store(at, i, _) = &what {
                trace(&self.nodes[*at].asked[*i]);
            }
        }
        match what {
            Happening::Time(by) => {
                for (node, by) in self.nodes.iter_mut().zip(by) {
                    node.clock = node.clock.saturating_add(nanos(by.into()));
                }
            }
            Happening::Wake(at) => self.input(at, Input::Tick),
            Happening::Store(at, i, how) => self.serve(at, i, how),
            Happening::Late(i) => {
                let put = self.late.remove(i);
                self.put(put);
            }
            Happening::Deliver(to, message, again) => {
                self.take_from_wire(&to, &message, again);
                if let Some(at) = self.running(&to) {
                    self.input(at, Input::Peer(message));
                }
            }
            Happening::Drop(to, message) => self.take_from_wire(&to, &message, false),
            Happening::See(at, node) => self.see(at, &node),
            Happening::Sweep(at) => self.sweep(at),
            Happening::Act(at, path, fails) => self.act(at, &path, fails),
            Happening::Call(at, path) => self.call(at, path),
            Happening::Move(at, path, to) => {
                let order = Order::Move {
                    path,
                    to: self.member(to),
                };
                self.input(at, Input::Order(order));
            }
            Happening::Crash(at) => self.crash(at),
            Happening::Boot(at) => self.boot(at, false),
        }
    }

    pub(crate) fn member(&self, at: usize) -> Member {
        self.nodes[at].member()
    }

    fn running(&self, member: &Member) -> Option<usize> {
        let at = self
            .nodes
            .iter()
            .position(|node| node.member() == *member)?;
        self.nodes[at].machine.is_some().then_some(at)
    }

    fn take_from_wire(&mut self, to: &Member, message: &Letter, stays: bool) {
        let key = (to.clone(), message.clone());
        if stays {
            return;
        }
        if let Some(count) = self.wire.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.wire.remove(&key);
            }
        }
    }

    /// Starts the next boot of a node. One that has been fenced says so of the last one.
    fn boot(&mut self, at: usize, after_fence: bool) {
        let former = self.nodes[at].machine.as_ref().map(NodeMachine::as_former);
        let former = former.filter(|_| after_fence);
        let reuse = after_fence && self.setup.bug == Some(Bug::BootUsedAgain);
        let settings = self.settings();
        let node = &mut self.nodes[at];
        if !reuse {
            node.boots += 1;
        }
        node.actors.clear();
        node.asked.clear();
        let profile = Bytes::new();
        let (machine, commands) =
            NodeMachine::new(node.member(), settings, profile, former, node.clock);
        node.machine = Some(machine);
        self.carry_out(at, commands);
        // A watch begins with what stands.
        for of in 0..self.setup.nodes {
            self.see(at, &node_id(of));
        }
    }

    fn settings(&self) -> NodeSettings {
        NodeSettings {
            terms: LeaseTerms::new(nanos(LEASE), nanos(0), nanos(1)).unwrap(),
            limits: PathLimits {
                held: 8,
                table: 64,
                batch: 4,
                tries: 1000,
            },
            kinds: [(kind(), self.setup.durability)].into(),
            bugs: self.setup.bug.map_or(Bugs::default(), Bugs::only),
        }
    }

    fn crash(&mut self, at: usize) {
        let me = self.member(at);
        // Nobody is left to be told.
        self.told.open.retain(|&token, caller| {
            let lost = *caller == me;
            if lost {
                self.told.outcomes.insert(token, CallOutcome::Unknown);
            }
            !lost
        });
        let node = &mut self.nodes[at];
        node.machine = None;
        node.actors.clear();
        // What it had asked for may have been received, or not.
        for command in std::mem::take(&mut node.asked) {
            if let Command::Write {
                key,
                record,
                expected,
                ..
            } = command
            {
                self.late.push(Put {
                    key,
                    record,
                    expected,
                });
            }
        }
    }

    pub(crate) fn input(&mut self, at: usize, input: Input) {
        let node = &mut self.nodes[at];
        let Some(machine) = &mut node.machine else {
            return;
        };
        let commands = machine.handle(input, node.clock);
        self.carry_out(at, commands);
    }

    fn carry_out(&mut self, at: usize, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Read(..) | Command::Write { .. } | Command::Scan(_) => {
                    self.nodes[at].asked.push(command);
                }
                Command::Send(to, message) => {
                    if let PeerMessage::Answer { path, place, .. } = &message.message {
                        self.must_be_current(path, place.epoch, "answered by an owner of the past");
                    }
                    *self.wire.entry((to, message)).or_insert(0) += 1;
                }
                Command::Start {
                    path, epoch, state, ..
                } => self.start(at, path, epoch, state),
                Command::Dispatch(path, epoch, requests) => {
                    self.must_be_current(&path, epoch, "dispatched by an owner of the past");
                    self.give(at, &path, epoch, Work::Handle(requests));
                }
                Command::Pack(path, epoch, _) => self.give(at, &path, epoch, Work::Pack),
                Command::Halt(path, _) => {
                    self.nodes[at].actors.remove(&path);
                }
                Command::Resolve { token, outcome } => self.resolve(token, outcome),
                Command::Report(Report::Left | Report::Joined) | Command::Report(_) => {}
                Command::Fenced => self.boot(at, true),
            }
        }
    }

    fn start(&mut self, at: usize, path: ActorPath, epoch: Epoch, state: Option<Bytes>) {
        let me = self.member(at);
        let boots = self.told.started.entry((path.clone(), epoch)).or_default();
        if !boots.insert(me) || boots.len() > 1 {
            self.told.wrong = Some("an epoch was begun twice");
        }
        self.nodes[at]
            .actors
            .insert(path, Actor::new(epoch, state.as_ref()));
    }

    fn give(&mut self, at: usize, path: &ActorPath, epoch: Epoch, work: Work) {
        let actor = self.nodes[at].actors.get_mut(path);
        if let Some(actor) = actor.filter(|actor| actor.epoch == epoch) {
            actor.to_do.push(work);
        }
    }

    fn act(&mut self, at: usize, path: &ActorPath, fails: bool) {
        let durability = self.setup.durability;
        if let Some(actor) = self.nodes[at].actors.get_mut(path) {
            let epoch = actor.epoch;
            let event = actor.step(durability, fails);
            self.input(at, Input::Actor(path.clone(), epoch, event));
        }
    }

    fn call(&mut self, at: usize, path: ActorPath) {
        self.told.asked += 1;
        let id = self.told.asked;
        self.told.open.insert(id.into(), self.member(at));
        let deadline = self.nodes[at].clock.saturating_add(nanos(LEASE * 5));
        let call = Call {
            token: id.into(),
            path,
            body: Bytes::copy_from_slice(&[id]),
            deadline,
            repeat: self.setup.repeat,
        };
        self.input(at, Input::Call(call));
    }

    fn resolve(&mut self, token: u64, outcome: CallOutcome) {
        self.told.open.remove(&token);
        if self.told.outcomes.insert(token, outcome).is_some() {
            self.told.wrong = Some("a message came to two outcomes");
        }
    }

    fn serve(&mut self, at: usize, i: usize, how: How) {
        match self.nodes[at].asked.remove(i) {
            Command::Read(ticket, key) => {
                let outcome = match self.store.get(&key) {
                    _ if how != How::Well => ReadOutcome::Failed,
                    Some(stored) => ReadOutcome::Entry(stored.clone()),
                    None => ReadOutcome::Absent,
                };
                self.input(at, Input::Read(ticket, outcome));
            }
            Command::Write {
                ticket,
                key,
                record,
                expected,
            } => {
                self.serve_write(
                    at,
                    ticket,
                    Put {
                        key,
                        record,
                        expected,
                    },
                    how,
                );
            }
            Command::Scan(_) => self.sweep(at),
            _ => {}
        }
    }

    fn serve_write(&mut self, at: usize, ticket: Ticket, put: Put, how: How) {
        let outcome = match how {
            How::Well => self.put(put),
            How::Lost => WriteOutcome::Unknown,
            How::Silent => {
                self.put(put);
                WriteOutcome::Unknown
            }
            How::Late => {
                self.late.push(put);
                WriteOutcome::Unknown
            }
        };
        self.input(at, Input::Written(ticket, outcome));
    }

    fn put(&mut self, put: Put) -> WriteOutcome {
        if let (RecordKey::State(path), Record::State(new)) = (&put.key, &put.record)
            && let Some(Stored {
                record: Record::State(old),
                revision,
            }) = self.store.get(&put.key)
            && put.expected == Some(*revision)
            && new.epoch < old.epoch
        {
            let _ = path;
            self.told.wrong = Some("an earlier epoch wrote over a later one");
        }
        self.store.put(put)
    }

    pub(crate) fn see(&mut self, at: usize, node: &NodeId) {
        if let Some(stored) = self.store.get(&RecordKey::Lease(node.clone())).cloned() {
            self.input(at, Input::Lease(stored));
        }
    }

    pub(crate) fn sweep(&mut self, at: usize) {
        let owned = self
            .store
            .iter()
            .filter_map(|(key, stored)| match (key, &stored.record) {
                (RecordKey::Own(path), Record::Own(record)) => {
                    Some((path.clone(), record.clone(), stored.revision))
                }
                _ => None,
            });
        let all: Vec<_> = owned.collect();
        for (path, record, revision) in all {
            let rank = Some(self.rank(at, &record));
            self.input(
                at,
                Input::Found {
                    path,
                    record,
                    revision,
                    rank,
                },
            );
        }
    }

    /// The nodes other than the lost one have their turns in their order.
    fn rank(&self, at: usize, record: &OwnRecord) -> u32 {
        let others = self
            .nodes
            .iter()
            .filter(|node| node.id() != record.owner.node);
        let before = others.filter(|node| usize::from(node.name) < at).count();
        u32::try_from(before).unwrap()
    }

    fn must_be_current(&mut self, path: &ActorPath, epoch: Epoch, otherwise: &'static str) {
        let current = match self.store.get(&RecordKey::Own(path.clone())) {
            Some(Stored {
                record: Record::Own(record),
                revision,
            }) => record.epoch_at(*revision),
            _ => return,
        };
        if current != epoch {
            self.told.wrong = Some(otherwise);
        }
    }

    /// What is wrong with the world as it stands, if anything.
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        if self.told.wrong.is_some() {
            return self.told.wrong;
        }
        let mut stored: BTreeMap<u8, u32> = BTreeMap::new();
        for (_, entry) in self.store.iter() {
            if let Record::State(state) = &entry.record {
                let body = state.body.iter().flat_map(|body| body.iter().copied());
                body.for_each(|id| *stored.entry(id).or_default() += 1);
            }
        }
        if stored.values().any(|&count| count > 1) {
            return Some("a message was applied twice");
        }
        let durable = self.setup.durability == Durability::Durable;
        for (&token, outcome) in &self.told.outcomes {
            let applied = stored.contains_key(&u8::try_from(token).unwrap());
            match outcome {
                CallOutcome::Done(_) if durable && !applied => {
                    return Some("an acknowledged message is not in the checkpoint");
                }
                CallOutcome::Refused(_) if applied => return Some("a refused message was applied"),
                CallOutcome::Failed(_) if applied => return Some("a failed message was applied"),
                _ => {}
            }
        }
        None
    }
}

impl Node {
    fn new(name: u8) -> Self {
        Self {
            name,
            boots: 0,
            clock: Timestamp::from_nanos(1000),
            machine: None,
            asked: Vec::new(),
            actors: BTreeMap::new(),
        }
    }

    pub(crate) fn id(&self) -> NodeId {
        node_id(self.name)
    }

    pub(crate) fn member(&self) -> Member {
        let boot = u128::from(self.name) * 1000 + u128::from(self.boots);
        Member {
            node: self.id(),
            boot: BootId(Uuid::from_u128(boot)),
        }
    }

    pub(crate) fn is_due(&self) -> bool {
        let wake = self.machine.as_ref().and_then(NodeMachine::next_wake);
        wake.is_some_and(|at| self.clock >= at)
    }
}

#[allow(
    clippy::print_stderr,
    reason = "a failing schedule is read by a person"
)]
fn trace(what: &impl std::fmt::Debug) {
    eprintln!("{what:?}");
}

pub(crate) fn node_id(name: u8) -> NodeId {
    NodeId::new(char::from(b'a' + name).to_string()).unwrap()
}

pub(crate) fn path_name(path: u8) -> ActorPath {
    ActorPath::new(format!("/{path}")).unwrap()
}

fn kind() -> KindName {
    KindName::new("k")
}

fn nanos(n: u64) -> std::time::Duration {
    std::time::Duration::from_nanos(n)
}
