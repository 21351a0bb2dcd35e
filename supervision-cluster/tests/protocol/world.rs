//! Some nodes, a store and a network, as a value: what may happen next, and what it leads to.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use supervision_cluster::protocol::{
    ActorEvent, ActorPath, Bug, Call, Command, Epoch, Input, Letter, Member, NodeMachine, Order,
    OwnRecord, PeerMessage, ReadOutcome, Record, RecordKey, Ticket, WriteOutcome,
};
use supervision_core::Timestamp;

use crate::{
    actor::{Actor, Manner, Work},
    happening::{Happening, How},
    setup::{LEASE, STEP, Setup, boot_of, kind, nanos, node_id, path_name},
    store::{Put, Store},
    told::{SEVERAL, Told},
};

/// A world. What one step does not touch is shared with the world before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) setup: Arc<Setup>,
    pub(crate) store: Store,
    pub(crate) nodes: Vec<Arc<Node>>,
    /// Messages under way, sorted, since they may arrive in any order.
    pub(crate) wire: Vec<Arc<Parcel>>,
    /// Writes whose sender has given up on the answer, and that may yet be made.
    pub(crate) late: Vec<Arc<Put>>,
    pub(crate) told: Arc<Told>,
    /// Whether everything that happens is printed.
    pub(crate) traced: bool,
}

/// A letter and its receiver.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Parcel {
    pub(crate) to: Member,
    pub(crate) letter: Letter,
}

/// A node of the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) name: u8,
    pub(crate) boots: u8,
    pub(crate) clock: Timestamp,
    pub(crate) machine: Option<NodeMachine>,
    /// What was asked of the store, and not yet done.
    pub(crate) asked: Vec<Command>,
    /// What the store has done, and not yet told.
    pub(crate) answers: Vec<Input>,
    pub(crate) actors: BTreeMap<ActorPath, Actor>,
}

impl World {
    /// All nodes have joined and know of each other, and the first one runs all the actors.
    pub(crate) fn new(setup: Setup) -> Self {
        let nodes = (0..setup.nodes).map(|name| Arc::new(Node::new(name)));
        let mut world = Self {
            nodes: nodes.collect(),
            store: Store::new(setup.stale),
            wire: Vec::new(),
            late: Vec::new(),
            told: Arc::default(),
            traced: false,
            setup: Arc::new(setup),
        };
        for node in 0..world.nodes.len() {
            world.boot(node, false);
            world.calm();
        }
        world.see_all();
        for path in 0..world.setup.paths {
            world.create(0, path, 0);
            world.calm();
        }
        world
    }

    /// Everybody sees everybody's lease.
    pub(crate) fn see_all(&mut self) {
        for at in 0..self.nodes.len() {
            self.watch(at);
        }
    }

    /// Lets all that is under way arrive and be done, without faults.
    pub(crate) fn calm(&mut self) {
        for _ in 0..2_000 {
            match self.nth_work(0) {
                Some(next) => self.happen(next),
                None => return,
            }
        }
        self.told().is_restless();
    }

    /// What is under way and would be done next if nothing goes wrong: the `n`th of it.
    pub(crate) fn nth_work(&self, mut n: usize) -> Option<Happening> {
        for (at, node) in self.nodes.iter().enumerate() {
            if n < node.asked.len() {
                return Some(Happening::Store(at, n, How::Well));
            }
            n -= node.asked.len();
            if n < node.answers.len() {
                return Some(Happening::Answer(at, n));
            }
            n -= node.answers.len();
            for path in node.busy(self.setup.paths) {
                if n == 0 {
                    return Some(Happening::Act(at, path, Manner::Well));
                }
                n -= 1;
            }
        }
        (n < self.wire.len()).then_some(Happening::Deliver(n, false))
    }

    /// How much is under way.
    pub(crate) fn work(&self) -> usize {
        let of = |node: &Arc<Node>| {
            node.asked.len() + node.answers.len() + node.busy(self.setup.paths).count()
        };
        self.nodes.iter().map(of).sum::<usize>() + self.wire.len()
    }

    pub(crate) fn happen(&mut self, what: Happening) {
        if self.traced {
            self.trace(what);
        }
        match what {
            Happening::Time(by) => {
                for (node, by) in self.nodes.iter_mut().zip(by) {
                    let node = Arc::make_mut(node);
                    node.clock = node.clock.saturating_add(nanos(by.into()));
                }
            }
            Happening::Wake(at) => self.input(at, Input::Tick),
            Happening::Store(at, i, how) => self.serve(at, i, how),
            Happening::Answer(at, i) => {
                let answer = self.node(at).answers.remove(i);
                self.input(at, answer);
            }
            Happening::Late(i) => {
                let put = self.late.remove(i);
                self.put(Arc::unwrap_or_clone(put));
            }
            Happening::Deliver(i, again) => self.deliver(i, again),
            Happening::Drop(i) => {
                let lost = self.wire.remove(i);
                if let PeerMessage::Take(_) = lost.letter.message {
                    let told = Arc::make_mut(&mut self.told);
                    told.takes_lost = (told.takes_lost + 1).min(SEVERAL);
                }
            }
            Happening::See(at, of, back) => self.see(at, of, back),
            Happening::Sweep(at, back) => self.sweep(at, back),
            Happening::Act(at, path, how) => self.act(at, path, how),
            Happening::Call(at, path) => self.call(at, path),
            Happening::Create(at, path, owner) => {
                self.told().created(path_name(path));
                self.create(at, path, owner);
            }
            Happening::Move(at, path, to) => {
                let (path, to) = (path_name(path), self.nodes[to].member());
                self.input(at, Input::Order(Order::Move { path, to }));
            }
            Happening::End(at, path) => self.end(at, &path_name(path)),
            Happening::Leave(at) => self.input(at, Input::Order(Order::Leave)),
            Happening::Crash(at) => self.crash(at),
            Happening::Boot(at) => self.boot(at, false),
        }
    }

    fn node(&mut self, at: usize) -> &mut Node {
        Arc::make_mut(&mut self.nodes[at])
    }

    fn told(&mut self) -> &mut Told {
        Arc::make_mut(&mut self.told)
    }

    fn deliver(&mut self, i: usize, again: bool) {
        let parcel = match again {
            true => self.wire[i].clone(),
            false => self.wire.remove(i),
        };
        let meant = |node: &Arc<Node>| node.machine.is_some() && node.member() == parcel.to;
        if let Some(at) = self.nodes.iter().position(meant) {
            let letter = Arc::unwrap_or_clone(parcel).letter;
            let answer = match &letter.message {
                PeerMessage::Answer { path, place, .. } => Some((path.clone(), place.epoch)),
                _ => None,
            };
            let open = self.told.open();
            self.input(at, Input::Peer(letter));
            if let Some((path, epoch)) = answer.filter(|_| self.told.open() < open) {
                let me = self.nodes[at].member();
                self.told().took(me, path, epoch);
            }
        }
    }

    fn create(&mut self, at: usize, path: u8, owner: usize) {
        let order = Order::Create {
            path: path_name(path),
            kind: kind(),
            owner: self.nodes[owner].member(),
        };
        self.input(at, Input::Order(order));
    }

    fn end(&mut self, at: usize, path: &ActorPath) {
        let machine = self.nodes[at].machine.as_ref();
        if let Some(epoch) = machine.and_then(|machine| machine.serving(path)) {
            self.told().ended(path, epoch);
        }
        self.input(at, Input::Order(Order::End(path.clone())));
    }

    /// Starts the next boot of a node. One that has been fenced says so of the last one.
    fn boot(&mut self, at: usize, after_fence: bool) {
        let former = self.nodes[at].machine.as_ref().map(NodeMachine::as_former);
        let former = former.filter(|_| after_fence);
        let reuse = after_fence && self.setup.bug == Some(Bug::BootUsedAgain);
        let settings = self.setup.settings();
        let node = self.node(at);
        if !reuse {
            node.boots += 1;
        }
        node.actors.clear();
        node.asked.clear();
        node.answers.clear();
        let profile = Bytes::new();
        let (machine, commands) =
            NodeMachine::new(node.member(), settings, profile, former, node.clock);
        node.machine = Some(machine);
        self.carry_out(at, commands);
        self.watch(at);
    }

    /// A watch begins with what stands.
    fn watch(&mut self, at: usize) {
        for of in 0..self.setup.nodes {
            self.see(at, of, 0);
        }
    }

    fn crash(&mut self, at: usize) {
        let me = self.nodes[at].member();
        self.told().crashed(&me);
        let node = self.node(at);
        node.machine = None;
        node.actors.clear();
        node.answers.clear();
        // What it had asked for may have been received, or not.
        for command in std::mem::take(&mut node.asked) {
            if let Command::Write {
                key,
                record,
                expected,
                ..
            } = command
            {
                self.make_late(Put {
                    key,
                    record,
                    expected,
                });
            }
        }
    }

    fn make_late(&mut self, put: Put) {
        self.late.push(Arc::new(put));
    }

    pub(crate) fn input(&mut self, at: usize, input: Input) {
        let node = self.node(at);
        let clock = node.clock;
        let Some(machine) = &mut node.machine else {
            return;
        };
        let commands = machine.handle(input, clock);
        if self.traced {
            trace_all(at, &commands);
        }
        self.carry_out(at, commands);
    }

    fn carry_out(&mut self, at: usize, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Read(..) | Command::Write { .. } | Command::Scan(_) => {
                    self.node(at).asked.push(command);
                }
                Command::Send(to, letter) => self.send(to, letter),
                Command::Start {
                    path, epoch, state, ..
                } => {
                    let me = self.nodes[at].member();
                    self.told().begun(path.clone(), epoch, me);
                    let actor = Actor::new(epoch, state.as_ref());
                    self.node(at).actors.insert(path, actor);
                }
                Command::Dispatch(path, epoch, requests) => {
                    Arc::make_mut(&mut self.told).acted(&self.store, &path, epoch);
                    self.give(at, &path, epoch, Work::Handle(requests));
                }
                Command::Pack(path, epoch, _) => self.give(at, &path, epoch, Work::Pack),
                Command::Halt(path, _) => {
                    self.node(at).actors.remove(&path);
                }
                Command::Resolve { token, outcome } => {
                    let told = Arc::make_mut(&mut self.told);
                    told.resolved(&self.setup, &self.store, token, &outcome);
                }
                Command::Report(_) => {}
                Command::Fenced => self.boot(at, true),
            }
        }
    }

    fn send(&mut self, to: Member, letter: Letter) {
        if let PeerMessage::Answer { path, place, .. } = &letter.message {
            Arc::make_mut(&mut self.told).acted(&self.store, path, place.epoch);
        }
        let parcel = Arc::new(Parcel { to, letter });
        let at = self.wire.partition_point(|other| *other < parcel);
        self.wire.insert(at, parcel);
    }

    fn give(&mut self, at: usize, path: &ActorPath, epoch: Epoch, work: Work) {
        let actor = self.node(at).actors.get_mut(path);
        if let Some(actor) = actor.filter(|actor| actor.epoch == epoch) {
            actor.to_do.push(work);
        }
    }

    fn act(&mut self, at: usize, path: u8, how: Manner) {
        let durability = self.setup.durability;
        let path = path_name(path);
        let Some(actor) = self.node(at).actors.get_mut(&path) else {
            return;
        };
        let epoch = actor.epoch;
        let (event, new) = actor.step(durability, how);
        Arc::make_mut(&mut self.told).applied(&self.setup, &new);
        if event == ActorEvent::Ended {
            self.told().ended(&path, epoch);
        }
        self.input(at, Input::Actor(path, epoch, event));
    }

    fn call(&mut self, at: usize, path: u8) {
        let me = self.nodes[at].member();
        let id = self.told().call(me);
        let patience = u64::from(self.setup.patience) * u64::from(STEP);
        let call = Call {
            token: id.into(),
            path: path_name(path),
            body: Bytes::copy_from_slice(&[id]),
            deadline: self.nodes[at].clock.saturating_add(nanos(patience)),
            repeat: self.setup.repeat,
        };
        self.input(at, Input::Call(call));
    }

    fn serve(&mut self, at: usize, i: usize, how: How) {
        let answer = match self.node(at).asked.remove(i) {
            Command::Read(ticket, key) => Input::Read(ticket, self.read(&key, how)),
            Command::Write {
                ticket,
                key,
                record,
                expected,
            } => {
                let put = Put {
                    key,
                    record,
                    expected,
                };
                self.write(ticket, put, how)
            }
            Command::Scan(_) => return self.sweep(at, 0),
            _ => return,
        };
        if how == How::Slowly {
            self.node(at).answers.push(answer);
        } else {
            self.input(at, answer);
        }
    }

    fn read(&self, key: &RecordKey, how: How) -> ReadOutcome {
        let back = match how {
            How::Well | How::Slowly => 0,
            How::Stale(back) => back,
            How::Lost | How::Silent | How::Late => return ReadOutcome::Failed,
        };
        match self.store.get_old(key, back) {
            Some(stored) => ReadOutcome::Entry(stored.clone()),
            None => ReadOutcome::Absent,
        }
    }

    fn write(&mut self, ticket: Ticket, put: Put, how: How) -> Input {
        let outcome = match how {
            How::Well | How::Slowly | How::Stale(_) => self.put(put),
            How::Lost => WriteOutcome::Unknown,
            How::Silent => {
                self.put(put);
                WriteOutcome::Unknown
            }
            How::Late => {
                self.make_late(put);
                WriteOutcome::Unknown
            }
        };
        Input::Written(ticket, outcome)
    }

    fn put(&mut self, put: Put) -> WriteOutcome {
        if self.store.would_take(&put) {
            Arc::make_mut(&mut self.told).written(&self.store, &put);
        }
        self.store.put(put)
    }

    fn see(&mut self, at: usize, of: u8, back: u8) {
        let key = RecordKey::Lease(node_id(of));
        if let Some(stored) = self.store.get_old(&key, back).cloned() {
            self.input(at, Input::Lease(stored));
        }
    }

    fn sweep(&mut self, at: usize, back: u8) {
        for path in 0..self.setup.paths {
            let key = RecordKey::Own(path_name(path));
            let Some(stored) = self.store.get_old(&key, back) else {
                continue;
            };
            if let Record::Own(record) = &stored.record {
                let found = Input::Found {
                    path: path_name(path),
                    record: record.clone(),
                    revision: stored.revision,
                    rank: Some(self.rank(at, record)),
                };
                self.input(at, found);
            }
        }
    }

    /// The nodes other than the lost one have their turns in their order.
    fn rank(&self, at: usize, record: &OwnRecord) -> u32 {
        let before = self.nodes[..at]
            .iter()
            .filter(|node| node_id(node.name) != record.owner.node);
        u32::try_from(before.count()).unwrap()
    }

    /// What is wrong with the world as it stands, if anything.
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        self.told.wrong()
    }

    #[allow(
        clippy::print_stderr,
        reason = "a failing schedule is read by a person"
    )]
    fn trace(&self, what: Happening) {
        match what {
            Happening::Store(at, i, _) => eprintln!("{what:?} {:?}", self.nodes[at].asked[i]),
            Happening::Answer(at, i) => eprintln!("{what:?} {:?}", self.nodes[at].answers[i]),
            Happening::Late(i) => eprintln!("{what:?} {:?}", self.late[i]),
            Happening::Deliver(i, _) | Happening::Drop(i) => {
                eprintln!("{what:?} {:?}", self.wire[i]);
            }
            _ => eprintln!("{what:?}"),
        }
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
            answers: Vec::new(),
            actors: BTreeMap::new(),
        }
    }

    pub(crate) fn member(&self) -> Member {
        boot_of(self.name, self.boots)
    }

    /// Whether a process runs whose machine is not over.
    pub(crate) fn is_up(&self) -> bool {
        self.machine
            .as_ref()
            .is_some_and(|machine| !machine.is_over())
    }

    pub(crate) fn is_due(&self) -> bool {
        let wake = self.machine.as_ref().and_then(NodeMachine::next_wake);
        wake.is_some_and(|at| self.clock >= at)
    }

    /// The paths whose actors have something to do here.
    pub(crate) fn busy(&self, paths: u8) -> impl Iterator<Item = u8> {
        let busy = |path: &u8| {
            self.actors
                .get(&path_name(*path))
                .is_some_and(|actor| !actor.to_do.is_empty())
        };
        (0..if self.actors.is_empty() { 0 } else { paths }).filter(busy)
    }
}

#[allow(
    clippy::print_stderr,
    reason = "a failing schedule is read by a person"
)]
fn trace_all(at: usize, commands: &[Command]) {
    commands
        .iter()
        .for_each(|command| eprintln!("    {at}: {command:?}"));
}

/// How long after the last fault everything must have come right, in the world's lengths.
pub(crate) const RECOVERY: u64 = 40 * LEASE / STEP as u64;
