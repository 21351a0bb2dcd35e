//! What must come of a world once nothing goes wrong any more.

use crate::world::{Happening, LEASE, STEP, World, node_id, path_name};

impl World {
    /// Lets time go on without faults for as long as everything has to recover in, and says what has
    /// not come right.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        self.late.clear();
        for at in 0..self.nodes.len() {
            if self.nodes[at].machine.is_none() {
                self.happen(Happening::Boot(at));
            }
        }
        for _ in 0..(40 * LEASE / STEP) {
            self.quiet_step();
            self.wrong()
                .map_or(Ok(()), |wrong| Err(format!("{wrong}\n{}", self.show())))?;
        }
        for path in 0..self.setup.paths {
            let path = path_name(path);
            let serving = |node: &&crate::world::Node| {
                node.machine
                    .as_ref()
                    .is_some_and(|machine| machine.serving(&path).is_some())
            };
            let count = self.nodes.iter().filter(serving).count();
            if count != 1 {
                return Err(format!(
                    "{path} is served by {count} nodes after all has calmed down\n{}",
                    self.show()
                ));
            }
        }
        if self.told.outcomes.len() != usize::from(self.told.asked) {
            return Err("a message has come to no outcome".to_owned());
        }
        Ok(())
    }

    /// What stands in the store, for a person.
    pub(crate) fn show(&self) -> String {
        let line = |(key, stored): (&_, &_)| format!("{key:?}: {stored:?}\n");
        self.store.iter().map(line).collect()
    }

    /// Everything under way is done, and a little time goes by.
    pub(crate) fn quiet_step(&mut self) {
        self.calm();
        let even = vec![u8::try_from(STEP).unwrap(); self.nodes.len()];
        self.happen(Happening::Time(even));
        for at in 0..self.nodes.len() {
            if self.nodes[at].is_due() {
                self.happen(Happening::Wake(at));
            }
        }
        self.calm();
        for at in 0..self.nodes.len() {
            for of in 0..self.setup.nodes {
                self.see(at, &node_id(of));
            }
            self.calm();
            self.sweep(at);
            self.calm();
        }
    }
}
