//! What has been applied to an actor, so that a request which arrives again is answered again and
//! not applied again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    message::{Answer, RequestId},
    record::BootId,
};

/// The requests that were applied to one actor and that may still be asked again.
///
/// A caller tells with each request which of its earlier ones it has settled (its *floor*). Those
/// are forgotten, and a copy of one that comes late is never applied. What one caller can make the
/// table hold is therefore what it leaves unsettled, and all callers together are held to
/// the capacity: a request that would go past it is refused before it is applied.
///
/// The table is part of the checkpoint, and moves with the actor.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestTable {
    callers: BTreeMap<BootId, Applied>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Applied {
    floor: u64,
    answers: BTreeMap<u64, Answer>,
}

/// What the table knows of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it may be applied.
    New,
    /// It was applied, with this answer.
    Applied(Answer),
    /// Its caller has settled it: this is a late copy.
    Settled,
}

impl RequestTable {
    /// What is known of a request.
    pub fn look_up(&self, id: &RequestId) -> Known {
        let Some(applied) = self.callers.get(&id.caller.boot) else {
            return Known::New;
        };
        match applied.answers.get(&id.seq) {
            Some(answer) => Known::Applied(answer.clone()),
            None if id.seq < applied.floor => Known::Settled,
            None => Known::New,
        }
    }

    /// Whether it holds anything of a caller. It may have forgotten one that is gone.
    pub(crate) fn knows(&self, caller: BootId) -> bool {
        self.callers.contains_key(&caller)
    }

    /// Notes that a request was applied.
    pub fn note(&mut self, id: &RequestId, answer: Answer) {
        let applied = self.callers.entry(id.caller.boot).or_default();
        applied.answers.insert(id.seq, answer);
    }

    /// Forgets what a caller has settled: everything below `floor`.
    pub fn settle(&mut self, caller: BootId, floor: u64) {
        if let Some(applied) = self.callers.get_mut(&caller)
            && floor > applied.floor
        {
            applied.floor = floor;
            applied.answers = applied.answers.split_off(&floor);
        }
    }

    /// Forgets callers that are gone for good. Only for use at the beginning of an epoch: what a
    /// late copy of theirs belongs to is an earlier one, and refused for that.
    pub fn forget(&mut self, gone: impl Fn(BootId) -> bool) {
        self.callers.retain(|&caller, _| !gone(caller));
    }

    /// Takes over what another table knows.
    pub fn merge(&mut self, other: &Self) {
        for (caller, theirs) in &other.callers {
            let ours = self.callers.entry(*caller).or_default();
            ours.floor = ours.floor.max(theirs.floor);
            for (seq, answer) in &theirs.answers {
                ours.answers.entry(*seq).or_insert_with(|| answer.clone());
            }
            ours.answers = ours.answers.split_off(&ours.floor);
        }
    }

    /// How many answers it holds.
    pub fn len(&self) -> usize {
        self.callers.values().map(|a| a.answers.len()).sum()
    }

    /// Whether it holds no answer.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of the answers it holds, without what it needs itself.
    pub fn answer_bytes(&self) -> usize {
        let bytes = |a: &Applied| a.answers.values().map(Answer::size).sum::<usize>();
        self.callers.values().map(bytes).sum()
    }
}

impl Answer {
    fn size(&self) -> usize {
        match self {
            Self::Done(reply) => reply.len(),
            Self::Failed(error) => error.len(),
        }
    }
}
