//! The loop: what happens goes into the machine, what the machine wants is carried out.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, PoisonError},
};

use supervision_core::{NodeId, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::{
    actors::Actors,
    calls::{Answered, Calls},
    feeds::Feeds,
    handle::JoinError,
    happened::{Generation, Happened, Resolve},
    hosted::AnyKind,
    leaving::Drain,
    orders::Orders,
    profile::{self, MemberView, Profile},
    shared::{NodeShared, Validity},
};
use crate::{
    codec::Names,
    config::ClusterConfig,
    engine::Engine,
    protocol::{BootId, Bugs, Command, Epoch, Input, KindName, Member, NodeMachine, NodeSettings},
};

/// How much of what has happened is taken before the engine and the timers have their turn.
const TAKEN_AT_ONCE: usize = 256;

/// The task of one node.
pub(super) struct Driver {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) names: Arc<Names>,
    pub(super) config: ClusterConfig,
    pub(super) kinds: BTreeMap<KindName, Arc<dyn AnyKind>>,
    pub(super) shared: Arc<NodeShared>,
    inbox: mpsc::UnboundedReceiver<Happened>,
    members: watch::Sender<Arc<Vec<MemberView>>>,
    joined: Option<oneshot::Sender<Result<(), JoinError>>>,
    pub(super) boot: Boot,
    /// What the machine is to be told next.
    pub(super) inputs: VecDeque<Input>,
    pub(super) callers: HashMap<u64, Resolve>,
    next_token: u64,
    pub(super) orders: Orders,
    pub(super) drain: Option<Drain>,
    pub(super) is_over: bool,
}

/// One boot of the node.
pub(super) struct Boot {
    pub(super) generation: Generation,
    pub(super) machine: NodeMachine,
    pub(super) validity: Arc<Validity>,
    pub(super) actors: Actors,
    pub(super) feeds: Feeds,
    pub(super) calls: Calls,
    /// When its profile is to be told anew.
    profile_at: Timestamp,
    commands: Vec<Command>,
}

impl Driver {
    pub(super) fn new(
        engine: Arc<dyn Engine>,
        names: Names,
        config: ClusterConfig,
        shared: Arc<NodeShared>,
        inbox: mpsc::UnboundedReceiver<Happened>,
        members: watch::Sender<Arc<Vec<MemberView>>>,
        joined: oneshot::Sender<Result<(), JoinError>>,
    ) -> Self {
        let names = Arc::new(names);
        let kinds = config.kinds.iter();
        let kinds = kinds.map(|kind| (kind.name().clone(), Arc::clone(kind)));
        let boot = Boot::new(&engine, &names, &config, &shared, 0, None);
        Self {
            kinds: kinds.collect(),
            engine,
            names,
            config,
            shared,
            inbox,
            members,
            joined: Some(joined),
            boot,
            inputs: VecDeque::new(),
            callers: HashMap::new(),
            next_token: 0,
            orders: Orders::default(),
            drain: None,
            is_over: false,
        }
    }

    pub(super) async fn run(mut self) {
        let commands = std::mem::take(&mut self.boot.commands);
        self.carry_out(commands);
        while !self.is_over {
            self.work();
            let clock = Arc::clone(&self.shared.clock);
            let wake = self.next_wake();
            let timer = async {
                match wake {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                answered = self.boot.calls.next(), if !self.boot.calls.is_idle() => {
                    self.answered(answered);
                }
                happened = self.inbox.recv() => match happened {
                    Some(happened) => self.take(happened),
                    // The driver itself holds a sender, in what it shares.
                    None => break,
                },
                () = timer => self.inputs.push_back(Input::Tick),
            }
        }
        self.end();
    }

    /// Works on what is there, until there is nothing or others must have their turn.
    fn work(&mut self) {
        for _ in 0..TAKEN_AT_ONCE {
            self.step();
            if self.is_over {
                return;
            }
            match self.inbox.try_recv() {
                Ok(happened) => self.take(happened),
                Err(_) => return,
            }
        }
        self.step();
    }

    fn next_wake(&self) -> Option<Timestamp> {
        let drain = self.drain.as_ref().and_then(Drain::next_wake);
        [self.boot.machine.next_wake(), drain]
            .into_iter()
            .flatten()
            .min()
    }

    /// Tells the machine all that it is to be told.
    pub(super) fn step(&mut self) {
        while let Some(input) = self.inputs.pop_front() {
            let now = self.shared.clock.now();
            self.refresh_profile(now);
            let about = match &input {
                Input::Actor(path, ..) => Some(path.clone()),
                _ => None,
            };
            let sees = matches!(input, Input::Lease(_) | Input::LeaseGone(_));
            let commands = self.boot.machine.handle(input, now);
            let until = self.boot.machine.valid_until();
            self.boot.validity.set(until);
            if sees {
                self.see();
            }
            self.carry_out(commands);
            if let Some(path) = about {
                self.open_if_clear(&path);
            }
            if self.is_over {
                return;
            }
        }
        self.go_on_draining();
    }

    fn answered(&mut self, answered: Answered) {
        match answered {
            Ok(input) => self.inputs.push_back(input),
            Err(error) => self.engine_gone(error),
        }
    }

    fn take(&mut self, happened: Happened) {
        let current = self.boot.generation;
        match happened {
            Happened::Call(mut call, resolve) => {
                self.next_token += 1;
                call.token = self.next_token;
                self.callers.insert(call.token, resolve);
                self.inputs.push_back(Input::Call(call));
            }
            Happened::Actor(generation, path, epoch) if generation == current => {
                self.actor_news(&path, epoch);
            }
            Happened::Due(generation, path, epoch) if generation == current => {
                self.boot.actors.start_due(&path, epoch);
            }
            Happened::Letter(generation, letter) if generation == current => {
                self.inputs.push_back(Input::Peer(letter));
            }
            Happened::Lease(generation, stored) if generation == current => {
                self.inputs.push_back(Input::Lease(stored));
            }
            Happened::LeaseGone(generation, node) if generation == current => {
                self.inputs.push_back(Input::LeaseGone(node));
            }
            Happened::Found {
                generation,
                path,
                record,
                revision,
            } if generation == current => self.found(path, record, revision),
            Happened::Order(order) => self.order(order),
            Happened::EngineGone(error) => self.engine_gone(error),
            Happened::Actor(..)
            | Happened::Due(..)
            | Happened::Letter(..)
            | Happened::Lease(..)
            | Happened::LeaseGone(..)
            | Happened::Found { .. } => {}
        }
    }

    fn engine_gone(&mut self, error: String) {
        if self.is_over {
            return;
        }
        tracing::error!(node = %self.shared.node, error, "the engine is gone; the node ends");
        if let Some(joined) = self.joined.take() {
            let _ = joined.send(Err(JoinError::Engine(error)));
        }
        self.is_over = true;
    }

    pub(super) fn has_joined(&mut self) {
        self.see();
        if let Some(joined) = self.joined.take() {
            let _ = joined.send(Ok(()));
        }
    }

    /// The next boot, after this one was fenced.
    pub(super) fn boot_again(&mut self) {
        tracing::warn!(node = %self.shared.node, "the node has lost its lease; it joins again");
        self.halt_all();
        self.orders.forget();
        let former = self.boot.machine.as_former();
        let generation = self.boot.generation + 1;
        // What users have sent is for whatever boot there is; all else was about the last one.
        self.inputs.retain(|input| matches!(input, Input::Call(_)));
        self.boot = Boot::new(
            &self.engine,
            &self.names,
            &self.config,
            &self.shared,
            generation,
            Some(former),
        );
        self.see();
        let commands = std::mem::take(&mut self.boot.commands);
        self.carry_out(commands);
    }

    /// Ends every actor of this boot.
    fn halt_all(&mut self) {
        self.boot.validity.set(None);
        for path in self.boot.actors.clear() {
            self.shared.remove_route(&path);
        }
    }

    fn end(&mut self) {
        self.halt_all();
        self.inbox.close();
        // Whoever still waits for an outcome learns that there is none to be known.
        for (_, resolve) in self.callers.drain() {
            resolve(crate::protocol::CallOutcome::Unknown);
        }
        while let Ok(happened) = self.inbox.try_recv() {
            if let Happened::Call(_, resolve) = happened {
                let refused = crate::protocol::Refusal::Fenced;
                resolve(crate::protocol::CallOutcome::Refused(refused));
            }
        }
    }

    pub(super) fn profile(&self) -> Profile {
        let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
        for kind in self.kinds.keys() {
            kinds.insert(kind.as_str().to_owned(), 0);
        }
        self.boot.actors.count(&mut kinds);
        let load = match &self.config.load {
            Some(load) => load(),
            None => self.boot.actors.load(),
        };
        Profile {
            draining: self.drain.is_some(),
            labels: self.config.labels.clone(),
            weight: self.config.weight,
            load,
            kinds,
        }
    }

    fn refresh_profile(&mut self, now: Timestamp) {
        if now < self.boot.profile_at {
            return;
        }
        self.boot.profile_at = now.saturating_add(self.config.terms.renewal() / 2);
        self.tell_profile();
    }

    pub(super) fn tell_profile(&mut self) {
        let profile = self.profile().encode();
        self.boot.machine.set_profile(profile);
    }

    /// Takes note of who is there.
    pub(super) fn see(&mut self) {
        let (me, mine) = (self.boot.machine.me().clone(), self.profile());
        let (view, members) = profile::see(self.boot.machine.members(), &me, &mine);
        *self
            .shared
            .view
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        self.members.send_if_modified(|known| {
            let news = **known != members;
            if news {
                *known = Arc::new(members);
            }
            news
        });
    }

    /// The boot of a node that is a member.
    pub(super) fn member(&self, node: &NodeId) -> Option<Member> {
        let mut members = self.boot.machine.members();
        members
            .find(|lease| lease.member.node == *node)
            .map(|lease| lease.member.clone())
    }
}

impl Boot {
    fn new(
        engine: &Arc<dyn Engine>,
        names: &Arc<Names>,
        config: &ClusterConfig,
        shared: &Arc<NodeShared>,
        generation: Generation,
        former: Option<(BootId, Option<Epoch>)>,
    ) -> Self {
        let random = (u128::from(shared.random()) << 64) | u128::from(shared.random());
        let boot = if config.seed.is_some() {
            uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid()
        } else {
            Uuid::new_v4()
        };
        let me = Member {
            node: shared.node.clone(),
            boot: BootId(boot),
        };
        let kinds = config.kinds.iter();
        let settings = NodeSettings {
            terms: config.terms,
            limits: config.limits,
            kinds: kinds
                .map(|kind| (kind.name().clone(), kind.durability()))
                .collect(),
            bugs: Bugs::default(),
        };
        let profile = Profile {
            draining: false,
            labels: config.labels.clone(),
            weight: config.weight,
            load: 0,
            kinds: (config.kinds.iter())
                .map(|kind| (kind.name().as_str().to_owned(), 0))
                .collect(),
        };
        let now = shared.clock.now();
        let sweep = config.sweep.unwrap_or(config.terms.length() * 4);
        let feeds = Feeds::start(
            Arc::clone(engine),
            Arc::clone(names),
            Arc::clone(shared),
            generation,
            config.terms.pause(),
            sweep,
            &me,
        );
        let (machine, commands) = NodeMachine::new(me, settings, profile.encode(), former, now);
        Self {
            generation,
            machine,
            validity: Validity::new(Arc::clone(&shared.clock)),
            actors: Actors::default(),
            feeds,
            calls: Calls::new(Arc::clone(engine), Arc::clone(names), config.calls),
            profile_at: now,
            commands,
        }
    }
}
