//! What has been seen of a world, and what must never be seen. Walks and model check share these rules.

use std::collections::{BTreeMap, BTreeSet};

use supervision_cluster::protocol::{
    ActorPath, CallOutcome, Durability, Epoch, Member, OwnState, Record, RecordKey, Repeat,
    StateRecord,
};

use crate::{setup::Setup, store::Put, store::Store};

/// So many letters of one hand-over are lost only if it was sent again and again.
pub(crate) const SEVERAL: u8 = 3;

/// What has been seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Told {
    /// Which boot began which activation.
    began: BTreeMap<(ActorPath, Epoch), Member>,
    calls: BTreeMap<u8, Asked>,
    /// What was handled, of messages that are handled once at most.
    handled: BTreeSet<u8>,
    /// What stood in the checkpoints of lives that have ended.
    buried: BTreeSet<u8>,
    /// The latest activation whose answer a caller has taken.
    taken: BTreeMap<(Member, ActorPath), Epoch>,
    /// Paths that somebody has ordered to be created since the world began.
    created: BTreeSet<ActorPath>,
    /// Lives that were ended, so that their checkpoints may be emptied.
    ended: BTreeSet<(ActorPath, Epoch)>,
    wrong: Option<&'static str>,
    /// A new owner has waited for a hand-over in vain, and has begun a later activation.
    pub(crate) gave_up_waiting: bool,
    /// How many letters that hand something over were lost, as far as it matters.
    pub(crate) takes_lost: u8,
}

/// A message, and what its caller was told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    by: Member,
    outcome: Option<Outcome>,
}

/// The kinds of outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    Done,
    Failed,
    Refused,
    Unknown,
}

impl From<&CallOutcome> for Outcome {
    fn from(outcome: &CallOutcome) -> Self {
        match outcome {
            CallOutcome::Done(_) => Self::Done,
            CallOutcome::Failed(_) => Self::Failed,
            CallOutcome::Refused(_) => Self::Refused,
            CallOutcome::Unknown => Self::Unknown,
        }
    }
}

impl Told {
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        self.wrong
    }

    fn must(&mut self, right: bool, otherwise: &'static str) {
        if !right {
            self.wrong.get_or_insert(otherwise);
        }
    }

    pub(crate) fn asked(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn epochs(&self) -> usize {
        self.began.len()
    }

    /// How many messages came to this outcome.
    pub(crate) fn count(&self, outcome: Option<Outcome>) -> usize {
        let same = |asked: &&Asked| asked.outcome == outcome;
        self.calls.values().filter(same).count()
    }

    /// Things go on and on though no time goes by.
    pub(crate) fn is_restless(&mut self) {
        self.must(false, "the world does not come to rest");
    }

    /// The messages that were not handled. One that was may still be unknown to its caller: an answer
    /// that comes after the news of a later activation is not taken.
    pub(crate) fn unhandled(&self) -> Vec<u8> {
        let handled = |id: &u8, asked: &Asked| {
            asked.outcome == Some(Outcome::Done) || self.handled.contains(id)
        };
        let left = |(id, asked): &(&u8, &Asked)| !handled(id, asked);
        self.calls.iter().filter(left).map(|(id, _)| *id).collect()
    }

    /// An actor is started.
    pub(crate) fn begun(&mut self, path: ActorPath, epoch: Epoch, by: Member) {
        let first = self.began.insert((path, epoch), by).is_none();
        self.must(first, "an epoch was begun twice");
    }

    /// Whose epoch it is not must neither handle nor answer.
    pub(crate) fn acted(&mut self, store: &Store, path: &ActorPath, epoch: Epoch) {
        let current = store
            .get(&RecordKey::Own(path.clone()))
            .map(|stored| (&stored.record, stored.revision));
        if let Some((Record::Own(record), revision)) = current {
            let right = record.epoch_at(revision) == epoch;
            self.must(right, "an owner of the past has dispatched or answered");
        }
    }

    /// How many messages have no outcome yet.
    pub(crate) fn open(&self) -> usize {
        self.count(None)
    }

    /// A caller has taken an answer.
    pub(crate) fn took(&mut self, by: Member, path: ActorPath, epoch: Epoch) {
        let before = self.taken.insert((by, path), epoch);
        self.must(
            before.is_none_or(|before| before <= epoch),
            "an answer was taken after that of a later activation",
        );
    }

    pub(crate) fn ended(&mut self, path: &ActorPath, epoch: Epoch) {
        self.ended.insert((path.clone(), epoch));
    }

    /// A message is given to the protocol. Returns its name.
    pub(crate) fn call(&mut self, by: Member) -> u8 {
        let id = u8::try_from(self.calls.len() + 1).unwrap();
        self.calls.insert(id, Asked { by, outcome: None });
        id
    }

    /// The process of these calls is gone: nobody is left to be told.
    pub(crate) fn crashed(&mut self, who: &Member) {
        for asked in self.calls.values_mut() {
            if asked.by == *who && asked.outcome.is_none() {
                asked.outcome = Some(Outcome::Unknown);
            }
        }
    }

    /// Messages were applied to an actor's value.
    pub(crate) fn applied(&mut self, setup: &Setup, new: &[u8]) {
        for &id in new {
            if setup.repeat == Repeat::Never {
                let first = self.handled.insert(id);
                self.must(first, "a message was handled twice");
                let refused = self.calls[&id].outcome == Some(Outcome::Refused);
                self.must(!refused, "a refused message was handled");
            }
        }
    }

    /// A caller is told what became of its message.
    pub(crate) fn resolved(
        &mut self,
        setup: &Setup,
        store: &Store,
        token: u64,
        what: &CallOutcome,
    ) {
        let id = u8::try_from(token).unwrap();
        let outcome = Outcome::from(what);
        let asked = self.calls.get_mut(&id).unwrap();
        let first = asked.outcome.replace(outcome).is_none();
        self.must(first, "a message came to two outcomes");
        let stored = store.iter().any(|(_, stored)| match &stored.record {
            Record::State(state) => body(state).contains(&id),
            _ => false,
        });
        let counts = stored || self.buried.contains(&id) || self.handled.contains(&id);
        match outcome {
            Outcome::Done if setup.durability == Durability::Durable => {
                let kept = stored || self.buried.contains(&id);
                self.must(kept, "an acknowledged message is not in the checkpoint");
            }
            Outcome::Refused => self.must(!counts, "a refused message was applied"),
            Outcome::Failed => self.must(!counts, "a failed message was applied"),
            Outcome::Done | Outcome::Unknown => {}
        }
    }

    pub(crate) fn created(&mut self, path: ActorPath) {
        self.created.insert(path);
    }

    /// A write is about to be made.
    pub(crate) fn written(&mut self, store: &Store, put: &Put) {
        if let (RecordKey::Own(path), Record::Own(new)) = (&put.key, &put.record)
            && let Some(Record::Own(old)) = store.get(&put.key).map(|stored| &stored.record)
        {
            let revived = old.state != OwnState::Owned && new.state == OwnState::Owned;
            let may = !revived || self.created.contains(path);
            self.must(may, "a path that had ended was claimed");
            let again = old.owner == new.owner && new.epoch.is_none();
            self.gave_up_waiting |= again && old.from.is_some();
        }
        let (RecordKey::State(path), Record::State(new)) = (&put.key, &put.record) else {
            return;
        };
        let from = (path.clone(), Epoch(new.epoch.0.next()));
        let later = self.began.range(from..).next();
        let later = later.is_some_and(|((of, _), _)| of == path);
        self.must(!later, "an earlier epoch wrote when a later one had begun");
        let old = store.get(&put.key).map(|stored| &stored.record);
        if let Some(Record::State(old)) = old {
            self.must(
                new.epoch >= old.epoch,
                "an earlier epoch wrote over a later one",
            );
            if !body(new).starts_with(body(old)) {
                let emptied = new.body.is_none();
                let may = emptied && self.ended.contains(&(path.clone(), new.epoch));
                self.must(may, "a checkpoint has lost what stood in it");
                self.buried.extend(body(old));
            }
        }
        let mut seen = BTreeSet::new();
        for &id in body(new) {
            self.must(seen.insert(id), "a message was applied twice");
            let told = self.calls[&id].outcome;
            let void = matches!(told, Some(Outcome::Refused | Outcome::Failed));
            self.must(!void, "a refused or failed message was applied");
        }
    }
}

fn body(state: &StateRecord) -> &[u8] {
    state.body.as_deref().unwrap_or_default()
}
