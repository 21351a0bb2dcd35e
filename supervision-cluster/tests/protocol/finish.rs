//! What must come of a world once nothing goes wrong any more.

use supervision_cluster::protocol::{NodeMachine, OwnState, Record, RecordKey};

use crate::{
    happening::Happening,
    setup::{MOST, STEP, path_name},
    world::{RECOVERY, World},
};

impl World {
    /// Lets time go on without faults until everything has recovered, and says what has not come
    /// right in time, or what went wrong.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        self.late.clear();
        let mut amiss = None;
        let mut right = 0;
        for _ in 0..RECOVERY {
            self.quiet_step();
            if let Some(wrong) = self.wrong() {
                return Err(format!("{wrong}\n{}", self.show()));
            }
            amiss = self.amiss();
            right = if amiss.is_none() { right + 1 } else { 0 };
            // It is to stay so for longer than a lease.
            if right > 6 {
                return Ok(());
            }
        }
        match amiss {
            Some(amiss) => Err(format!("{amiss}\n{}", self.show())),
            None => Ok(()),
        }
    }

    /// What is not as it should be where nothing goes wrong.
    fn amiss(&self) -> Option<String> {
        if self.told.count(None) > 0 {
            return Some("a message has come to no outcome".to_owned());
        }
        for path in 0..self.setup.paths {
            let path = path_name(path);
            let serving = |machine: &&NodeMachine| machine.serving(&path).is_some();
            let nodes = self.nodes.iter().filter_map(|node| node.machine.as_ref());
            let count = nodes.filter(serving).count();
            let record = self.store.get(&RecordKey::Own(path.clone()));
            let state = match record.map(|stored| &stored.record) {
                Some(Record::Own(record)) => Some(record.state),
                _ => None,
            };
            let expected = usize::from(state == Some(OwnState::Owned));
            if count != expected {
                return Some(format!(
                    "{path} is {state:?} and served by {count} nodes after all has calmed down"
                ));
            }
            if state == Some(OwnState::Parked) && !self.setup.parks() {
                return Some(format!("{path} is parked for no reason"));
            }
        }
        None
    }

    /// What stands in the store, for a person.
    pub(crate) fn show(&self) -> String {
        let line = |(key, stored): (&_, &_)| format!("{key:?}: {stored:?}\n");
        self.store.iter().map(line).collect()
    }

    /// Everything under way is done, and a little time goes by.
    fn quiet_step(&mut self) {
        for at in 0..self.nodes.len() {
            if !self.nodes[at].is_up() {
                self.happen(Happening::Boot(at));
            }
        }
        self.calm();
        self.happen(Happening::Time([STEP; MOST]));
        for at in 0..self.nodes.len() {
            if self.nodes[at].is_due() {
                self.happen(Happening::Wake(at));
            }
        }
        self.calm();
        self.see_all();
        self.calm();
        for at in 0..self.nodes.len() {
            self.happen(Happening::Sweep(at, 0));
            self.calm();
        }
    }
}
