//! What goes wrong in a walk, how often, and for how long: each walk has its own climate, so that some
//! faults come in crowds and others not at all.

use fastrand::Rng;

use crate::{
    actor::Manner,
    happening::{Happening, How},
    setup::MOST,
    world::World,
};

/// The kinds of bad weather.
const KINDS: usize = 14;

/// What may go wrong in one walk.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    mood: Mood,
    /// Of a hundred happenings, how many are faults.
    wild: u8,
    weights: [u8; KINDS],
    /// For how many more steps nothing is done by a node, whose clock goes on.
    paused: [u16; MOST],
    /// For how many more steps the store hears no node, or is not heard.
    cut: [u16; MOST],
    /// For how many more steps two nodes do not hear each other.
    parted: u16,
    between: (u8, u8),
}

/// What kind of walk it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Nothing goes wrong: every message must be handled.
    Calm,
    /// Only the letters of a hand-over are lost and copied: every message must be handled.
    Clumsy,
    /// Anything goes wrong.
    Wild,
}

impl Weather {
    pub(crate) fn new(mood: Mood, random: &mut Rng) -> Self {
        let mut weights = [0; KINDS];
        for weight in &mut weights {
            *weight = [0, 1, 1, 4][random.usize(..4)];
        }
        Self {
            mood,
            wild: random.u8(3..=25),
            weights,
            paused: [0; MOST],
            cut: [0; MOST],
            parted: 0,
            between: (0, 1),
        }
    }

    pub(crate) fn is_wild(&self) -> bool {
        self.mood == Mood::Wild
    }

    /// One step has gone by.
    pub(crate) fn pass(&mut self) {
        for left in self.paused.iter_mut().chain(&mut self.cut) {
            *left = left.saturating_sub(1);
        }
        self.parted = self.parted.saturating_sub(1);
    }

    /// What becomes of something in this weather; `None`: it does not happen now.
    pub(crate) fn alter(
        &self,
        world: &World,
        what: Happening,
        random: &mut Rng,
    ) -> Option<Happening> {
        match what {
            Happening::Store(at, i, _) if self.cut[at] > 0 => {
                let how = [How::Lost, How::Lost, How::Late, How::Silent][random.usize(..4)];
                (self.paused[at] == 0).then_some(Happening::Store(at, i, how))
            }
            // The store works though who has asked it sleeps.
            Happening::Store(at, i, _) if self.paused[at] > 0 => {
                Some(Happening::Store(at, i, How::Slowly))
            }
            Happening::Answer(at, _)
            | Happening::Act(at, ..)
            | Happening::Wake(at)
            | Happening::Sweep(at, _)
            | Happening::Call(at, _)
            | Happening::Move(at, ..)
            | Happening::End(at, _)
            | Happening::Leave(at)
            | Happening::Create(at, ..)
                if self.paused[at] > 0 =>
            {
                None
            }
            Happening::See(at, ..) | Happening::Sweep(at, _)
                if self.paused[at] > 0 || self.cut[at] > 0 =>
            {
                None
            }
            Happening::Deliver(i, _) => self.may_pass(world, i).then_some(what),
            _ => Some(what),
        }
    }

    fn may_pass(&self, world: &World, i: usize) -> bool {
        let parcel = &world.wire[i];
        let name = |member: &supervision_cluster::protocol::Member| {
            member.node.as_str().as_bytes()[0] - b'a'
        };
        let (to, from) = (name(&parcel.to), name(&parcel.letter.from));
        let parted = self.parted > 0 && (self.between == (to, from) || self.between == (from, to));
        !parted && self.paused[usize::from(to)] == 0
    }

    /// Something that goes wrong, if it is time for it.
    pub(crate) fn fault(&mut self, world: &World, random: &mut Rng) -> Option<Happening> {
        match self.mood {
            Mood::Calm => None,
            Mood::Clumsy => (random.u8(..100) < 10)
                .then(|| drop_or_copy(world, random))
                .flatten()
                .filter(|what| is_of_a_hand_over(world, *what)),
            Mood::Wild if random.u8(..100) < self.wild => self.draw(world, random),
            Mood::Wild => None,
        }
    }

    fn draw(&mut self, world: &World, random: &mut Rng) -> Option<Happening> {
        let sum: u32 = self.weights.iter().map(|&one| u32::from(one)).sum();
        let mut drawn = random.u32(..sum.max(1));
        let kind = self.weights.iter().position(|&weight| {
            let here = drawn < u32::from(weight);
            drawn = drawn.saturating_sub(u32::from(weight));
            here
        })?;
        let at = random.usize(..world.nodes.len());
        let node = &world.nodes[at];
        let asked = (!node.asked.is_empty()).then(|| random.usize(..node.asked.len()));
        let long = random.u16(5..120);
        match kind {
            0 => Some(Happening::Store(at, asked?, How::Lost)),
            1 => Some(Happening::Store(at, asked?, How::Silent)),
            2 => Some(Happening::Store(at, asked?, How::Late)),
            3 => {
                let slowly = Happening::Store(at, asked?, How::Slowly);
                if random.bool() {
                    // Who has asked sleeps when the answer comes, and is alone when it wakes.
                    (self.paused[at], self.cut[at]) = (long, long + random.u16(..long));
                }
                Some(slowly)
            }
            4 => Some(Happening::Store(at, asked?, How::Stale(random.u8(1..=2)))),
            5 | 6 => drop_or_copy(world, random),
            7 => {
                let how = [
                    Manner::Failing,
                    Manner::OneOnly,
                    Manner::OneOnly,
                    Manner::Ending,
                ];
                let path = node.busy(world.setup.paths).next()?;
                Some(Happening::Act(at, path, how[random.usize(..4)]))
            }
            8 if node.machine.is_some() && random.bool() => Some(Happening::Crash(at)),
            9 => {
                self.paused[at] = long;
                None
            }
            10 => {
                self.cut[at] = long;
                None
            }
            11 => {
                let other = (at + 1) % world.nodes.len();
                self.parted = long;
                self.between = (world.nodes[at].name, world.nodes[other].name);
                None
            }
            12 if node.is_up() => Some(Happening::Leave(at)),
            13 if node.is_up() && random.u8(..4) == 0 => {
                Some(Happening::End(at, random.u8(..world.setup.paths)))
            }
            _ => None,
        }
    }
}

fn drop_or_copy(world: &World, random: &mut Rng) -> Option<Happening> {
    let i = (!world.wire.is_empty()).then(|| random.usize(..world.wire.len()))?;
    Some(match random.bool() {
        true => Happening::Deliver(i, true),
        false => Happening::Drop(i),
    })
}

fn is_of_a_hand_over(world: &World, what: Happening) -> bool {
    use supervision_cluster::protocol::PeerMessage::{Take, Taken};
    let (Happening::Deliver(i, _) | Happening::Drop(i)) = what else {
        return false;
    };
    matches!(&world.wire[i].letter.message, Take(_) | Taken { .. })
}
