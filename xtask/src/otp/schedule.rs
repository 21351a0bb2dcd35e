//! Random schedules: a group, which of its starts fail, and what happens to it.
//!
//! A trace is a row of tokens: `+a` started, `!a` could not be started, `-a` stopped, `xa:error`
//! ended by itself, `.` was to end but does not run, `/` a step begins, `=ok` a request's answer,
//! `G:a` gave up because of, `[a+b-]` who runs after a step, `S` shut down, `D:..` ended.

use std::fmt::{self, Write};

use supervision_core::{
    RestartType,
    group::{AutoShutdown, GroupStrategy},
};

/// The names of the children: six to begin with, two to be added.
const IDS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const FIRST_IDS: usize = 6;
/// A start after this many is never made to fail.
const LATEST_FAILURE: u64 = 6;

pub(super) struct Schedule {
    pub(super) index: u64,
    pub(super) group: GroupStrategy,
    pub(super) intensity: usize,
    pub(super) auto_shutdown: AutoShutdown,
    pub(super) children: Vec<Child>,
    /// The child and the number of its start, from 1.
    pub(super) failing_starts: Vec<(&'static str, u64)>,
    /// What happens at the same time stands in one step.
    pub(super) steps: Vec<Vec<Action>>,
}

#[derive(Clone, Copy)]
pub(super) struct Child {
    pub(super) id: &'static str,
    pub(super) restart_type: RestartType,
    pub(super) significant: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Action {
    Exit(&'static str, Reason),
    Add(Child),
    Terminate(&'static str),
    Restart(&'static str),
    Delete(&'static str),
}

#[derive(Clone, Copy)]
pub(super) enum Reason {
    Normal,
    Shutdown,
    /// OTP's `{shutdown, Term}`.
    ShutdownWith,
    Error,
}

impl Action {
    pub(super) fn child(&self) -> &'static str {
        match self {
            Self::Exit(id, _) | Self::Terminate(id) | Self::Restart(id) | Self::Delete(id) => id,
            Self::Add(child) => child.id,
        }
    }
}

impl Schedule {
    /// The schedule with this number: the same for the same seed, whatever the others are.
    pub(super) fn generate(seed: u64, index: u64) -> Self {
        let mut rng = Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ index);
        rng.bits();
        let mut schedule = Self {
            index,
            group: rng.pick(&[
                GroupStrategy::OneForOne,
                GroupStrategy::OneForAll,
                GroupStrategy::RestForOne,
            ]),
            intensity: rng.pick(&[0, 1, 1, 2, 2, 3, 3, 4, 4, 4]),
            auto_shutdown: rng.pick(&[
                AutoShutdown::Never,
                AutoShutdown::Never,
                AutoShutdown::AnySignificant,
                AutoShutdown::AllSignificant,
            ]),
            children: Vec::new(),
            failing_starts: Vec::new(),
            steps: Vec::new(),
        };
        let children = 1 + rng.below(FIRST_IDS as u64) as usize;
        for id in &IDS[..children] {
            let child = schedule.child(id, &mut rng);
            schedule.children.push(child);
        }
        for id in IDS {
            // The first start is the one that a group does not survive: seldom.
            for number in 1..=LATEST_FAILURE {
                if rng.chance(if number == 1 { 3 } else { 15 }) {
                    schedule.failing_starts.push((id, number));
                }
            }
        }
        for _ in 0..1 + rng.below(10) {
            let step = schedule.step(&mut rng);
            schedule.steps.push(step);
        }
        schedule
    }

    fn child(&self, id: &'static str, rng: &mut Rng) -> Child {
        let restart_type = rng.pick(&[
            RestartType::Permanent,
            RestartType::Permanent,
            RestartType::Transient,
            RestartType::Transient,
            RestartType::Temporary,
        ]);
        let may_be =
            self.auto_shutdown != AutoShutdown::Never && restart_type != RestartType::Permanent;
        Child {
            id,
            restart_type,
            significant: may_be && rng.chance(60),
        }
    }

    fn step(&self, rng: &mut Rng) -> Vec<Action> {
        let mut step: Vec<Action> = Vec::new();
        let actions = if rng.chance(25) { 2 + rng.below(3) } else { 1 };
        for _ in 0..actions {
            let action = self.action(rng);
            // OTP's functions wait for their answer: who uses them does one thing to a child
            // after the other.
            if step.iter().all(|earlier| earlier.child() != action.child()) {
                step.push(action);
            }
        }
        step
    }

    fn action(&self, rng: &mut Rng) -> Action {
        let id = rng.pick(&IDS[..self.children.len()]);
        let any = rng.pick(&IDS);
        match rng.below(100) {
            0..10 => Action::Exit(id, Reason::Normal),
            10..17 => Action::Exit(id, Reason::Shutdown),
            17..22 => Action::Exit(id, Reason::ShutdownWith),
            22..70 => Action::Exit(id, Reason::Error),
            70..74 => Action::Exit(any, Reason::Error),
            74..82 => Action::Terminate(if rng.chance(80) { id } else { any }),
            82..90 => Action::Restart(if rng.chance(80) { id } else { any }),
            90..94 => Action::Delete(if rng.chance(80) { id } else { any }),
            _ => {
                let id = if rng.chance(70) {
                    rng.pick(&IDS[FIRST_IDS..])
                } else {
                    any
                };
                Action::Add(self.child(id, rng))
            }
        }
    }
}

/// An Erlang term, as `file:consult` reads it.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = match self.group {
            GroupStrategy::OneForOne => "one_for_one",
            GroupStrategy::OneForAll => "one_for_all",
            GroupStrategy::RestForOne => "rest_for_one",
        };
        let auto_shutdown = match self.auto_shutdown {
            AutoShutdown::Never => "never",
            AutoShutdown::AnySignificant => "any_significant",
            AutoShutdown::AllSignificant => "all_significant",
        };
        let children = list(self.children.iter());
        let failing = self.failing_starts.iter();
        let failing = list(failing.map(|(id, number)| format!("{{\"{id}\",{number}}}")));
        let steps = list(self.steps.iter().map(|step| list(step.iter())));
        write!(
            f,
            "{{schedule,{},{group},{},{auto_shutdown},{children},{failing},{steps}}}.",
            self.index, self.intensity
        )
    }
}

fn list(items: impl Iterator<Item = impl fmt::Display>) -> String {
    let items: Vec<_> = items.map(|item| item.to_string()).collect();
    format!("[{}]", items.join(","))
}

impl fmt::Display for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let restart_type = match self.restart_type {
            RestartType::Permanent => "permanent",
            RestartType::Transient => "transient",
            RestartType::Temporary => "temporary",
        };
        write!(f, "{{\"{}\",{restart_type},{}}}", self.id, self.significant)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(id, Reason::Normal) => write!(f, "{{exit,\"{id}\",normal}}"),
            Self::Exit(id, Reason::Shutdown) => write!(f, "{{exit,\"{id}\",shutdown}}"),
            Self::Exit(id, Reason::ShutdownWith) => {
                write!(f, "{{exit,\"{id}\",{{shutdown,why}}}}")
            }
            Self::Exit(id, Reason::Error) => write!(f, "{{exit,\"{id}\",error}}"),
            Self::Add(child) => write!(f, "{{add,{child}}}"),
            Self::Terminate(id) => write!(f, "{{terminate,\"{id}\"}}"),
            Self::Restart(id) => write!(f, "{{restart,\"{id}\"}}"),
            Self::Delete(id) => write!(f, "{{delete,\"{id}\"}}"),
        }
    }
}

/// The tokens of a trace.
#[derive(Default)]
pub(super) struct Trace(String);

impl Trace {
    pub(super) fn note(&mut self, token: impl fmt::Display) {
        let space = if self.0.is_empty() { "" } else { " " };
        // Writing into a string does not fail.
        let _ = write!(self.0, "{space}{token}");
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}
