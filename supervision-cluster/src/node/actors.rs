//! The actors of one boot: those that run here, and those that wait for their start.

use std::{collections::BTreeMap, sync::Arc};

use super::hosted::{AnyKind, Hosted, Making, Packed, Taken};
use crate::protocol::{ActorPath, Durability, Epoch, KindName, Request};

/// One actor that this node runs.
pub(super) struct Running {
    pub(super) epoch: Epoch,
    pub(super) kind: Arc<dyn AnyKind>,
    stage: Stage,
    /// It was given up by its supervision.
    pub(super) packed: Option<Packed>,
    /// The machine has asked it to pack.
    pub(super) is_packing: bool,
}

enum Stage {
    /// Its strategy wants it to wait.
    Due(Box<Making>),
    Up(Box<dyn Hosted>),
    /// Its supervision has ended.
    Down,
}

/// What to do about an actor before it can be started.
pub(super) enum Started {
    Now,
    /// After its strategy's delay.
    Later(std::time::Duration),
}

#[derive(Default)]
pub(super) struct Actors(BTreeMap<ActorPath, Running>);

impl Actors {
    pub(super) fn start(&mut self, kind: &Arc<dyn AnyKind>, making: Making) -> Started {
        let (path, epoch) = (making.path.clone(), making.epoch);
        let delay = making
            .arrival
            .as_ref()
            .map(|arrival| arrival.luggage.delay());
        let delay = delay.filter(|delay| !delay.is_zero());
        let stage = match delay {
            Some(_) => Stage::Due(Box::new(making)),
            None => Stage::Up(kind.start(making)),
        };
        let running = Running {
            epoch,
            kind: Arc::clone(kind),
            stage,
            packed: None,
            is_packing: false,
        };
        self.0.insert(path, running);
        delay.map_or(Started::Now, Started::Later)
    }

    pub(super) fn start_due(&mut self, path: &ActorPath, epoch: Epoch) {
        let Some(running) = self.get_mut(path, epoch) else {
            return;
        };
        match std::mem::replace(&mut running.stage, Stage::Down) {
            Stage::Due(making) => running.stage = Stage::Up(running.kind.start(*making)),
            other => running.stage = other,
        }
    }

    /// Starts an actor anew that could not move.
    pub(super) fn start_in_place(&mut self, path: &ActorPath, making: Making) {
        if let Some(running) = self.0.get_mut(path) {
            running.stage = Stage::Up(running.kind.start(making));
            running.packed = None;
        }
    }

    pub(super) fn get_mut(&mut self, path: &ActorPath, epoch: Epoch) -> Option<&mut Running> {
        self.0.get_mut(path).filter(|it| it.epoch == epoch)
    }

    pub(super) fn of(&mut self, path: &ActorPath) -> Option<&mut Running> {
        self.0.get_mut(path)
    }

    pub(super) fn kind(&self, path: &ActorPath) -> Option<&Arc<dyn AnyKind>> {
        self.0.get(path).map(|it| &it.kind)
    }

    /// Ends it and forgets it; tells whether it was there.
    pub(super) fn remove(&mut self, path: &ActorPath, epoch: Epoch) -> bool {
        let there = self.get_mut(path, epoch).is_some();
        if there {
            self.0.remove(path);
        }
        there
    }

    /// Ends all of them.
    pub(super) fn clear(&mut self) -> Vec<ActorPath> {
        std::mem::take(&mut self.0).into_keys().collect()
    }

    /// Adds up how many there are of each kind.
    pub(super) fn count(&self, kinds: &mut BTreeMap<String, u64>) {
        for running in self.0.values() {
            let name: &KindName = running.kind.name();
            if let Some(count) = kinds.get_mut(name.as_str()) {
                *count += 1;
            }
        }
    }

    /// The actors, and the messages that wait for them.
    pub(super) fn load(&self) -> u64 {
        let waiting = |running: &Running| match &running.stage {
            Stage::Up(hosted) => hosted.depth(),
            Stage::Due(_) | Stage::Down => 0,
        };
        let waiting: usize = self.0.values().map(waiting).sum();
        u64::try_from(self.0.len() + waiting).unwrap_or(u64::MAX)
    }
}

impl Running {
    pub(super) fn hosted(&self) -> Option<&dyn Hosted> {
        match &self.stage {
            Stage::Up(hosted) => Some(&**hosted),
            Stage::Due(_) | Stage::Down => None,
        }
    }

    pub(super) fn deliver(&self, requests: Vec<Request>) {
        if let Some(hosted) = self.hosted() {
            hosted.deliver(requests);
        }
    }

    /// What has come of it since this was last asked.
    pub(super) fn take(&mut self) -> Taken {
        let taken = self.hosted().map(Hosted::take).unwrap_or_default();
        if taken.ended.is_some() {
            self.stage = Stage::Down;
        }
        taken
    }

    pub(super) fn is_durable(&self) -> bool {
        self.kind.durability() == Durability::Durable
    }
}
