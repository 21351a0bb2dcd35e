//! Everything that may happen in a world.

use crate::{actor::Manner, setup::MOST};

/// Something that may happen. Nodes, paths and what is under way are named by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Happening {
    /// Time goes on; each node's clock by this much.
    Time([u8; MOST]),
    /// A node looks at its clock.
    Wake(usize),
    /// The store does what it was asked, in this way.
    Store(usize, usize, How),
    /// What the store has done already is told.
    Answer(usize, usize),
    /// A late write is made.
    Late(usize),
    /// A message arrives; a copy of it may stay under way.
    Deliver(usize, bool),
    Drop(usize),
    /// A node sees another's lease as it stands, or as it stood so many versions before.
    See(usize, u8, u8),
    /// A node looks through all ownerships, as they stand or stood.
    Sweep(usize, u8),
    /// An actor does what it has to do.
    Act(usize, u8, Manner),
    Call(usize, u8),
    Create(usize, u8, usize),
    Move(usize, u8, usize),
    End(usize, u8),
    Leave(usize),
    Crash(usize),
    Boot(usize),
}

/// How the store treats what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum How {
    Well,
    /// Done now, and answered later.
    Slowly,
    /// What is shown stood so many versions before.
    Stale(u8),
    /// Not done, and not answered.
    Lost,
    /// Done, and not answered.
    Silent,
    /// Not answered; perhaps done later.
    Late,
}

impl Happening {
    /// How many kinds there are.
    pub(crate) const KINDS: [&'static str; 25] = [
        "time",
        "clocks that disagree",
        "wake",
        "store: well",
        "store: slowly",
        "store: stale",
        "store: lost",
        "store: silent",
        "store: late",
        "answer",
        "late write",
        "deliver",
        "copy",
        "drop",
        "see",
        "sweep",
        "act",
        "act: otherwise",
        "call",
        "create",
        "move",
        "end",
        "leave",
        "crash",
        "boot",
    ];

    /// Which of the [`KINDS`](Self::KINDS) it is.
    pub(crate) fn kind(self) -> usize {
        match self {
            Self::Time(by) if by.iter().all(|&one| one == by[0]) => 0,
            Self::Time(_) => 1,
            Self::Wake(_) => 2,
            Self::Store(_, _, How::Well) => 3,
            Self::Store(_, _, How::Slowly) => 4,
            Self::Store(_, _, How::Stale(_)) => 5,
            Self::Store(_, _, How::Lost) => 6,
            Self::Store(_, _, How::Silent) => 7,
            Self::Store(_, _, How::Late) => 8,
            Self::Answer(..) => 9,
            Self::Late(_) => 10,
            Self::Deliver(_, false) => 11,
            Self::Deliver(_, true) => 12,
            Self::Drop(_) => 13,
            Self::See(..) => 14,
            Self::Sweep(..) => 15,
            Self::Act(_, _, Manner::Well) => 16,
            Self::Act(..) => 17,
            Self::Call(..) => 18,
            Self::Create(..) => 19,
            Self::Move(..) => 20,
            Self::End(..) => 21,
            Self::Leave(_) => 22,
            Self::Crash(_) => 23,
            Self::Boot(_) => 24,
        }
    }
}
