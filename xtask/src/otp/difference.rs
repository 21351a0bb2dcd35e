//! Which differences are on purpose. They are listed in the docs of `supervision_core::group` and
//! in `docs/otp.md`, and each is recognised as narrowly as it can be: by the step in which the
//! traces part, and what happened in it.

use supervision_core::{
    RestartType,
    group::{AutoShutdown, GroupStrategy},
};

use super::schedule::{Action, Schedule};

/// How two traces of a schedule compare.
pub(super) enum Difference {
    /// They are the same.
    None,
    /// They differ where they are meant to.
    OnPurpose(&'static str),
    /// They differ.
    Wrong,
}

/// Compares the traces of a schedule.
pub(super) fn between(schedule: &Schedule, theirs: &str, ours: &str) -> Difference {
    let mut steps = theirs.split(" / ").zip(ours.split(" / "));
    let Some((number, (theirs_there, ours_there))) = (0..)
        .zip(&mut steps)
        .find(|(_, (theirs, ours))| theirs != ours)
    else {
        let same = theirs == ours;
        return if same {
            Difference::None
        } else {
            Difference::Wrong
        };
    };
    // What stands before the first `/` is the group's start, which belongs to no step.
    let parting = Parting {
        schedule,
        step: match number {
            0 => &[],
            _ => schedule.steps.get(number - 1).map_or(&[], Vec::as_slice),
        },
        theirs: theirs_there.split(' ').collect(),
        ours: ours_there.split(' ').collect(),
    };
    if parting.an_unfinished_start_was_interrupted() {
        Difference::OnPurpose("excused_interrupted_starts")
    } else if parting.siblings_of_a_terminated_child_were_stranded() {
        Difference::OnPurpose("excused_stranded_siblings")
    } else if parting.a_waiting_sibling_counted_as_ended() {
        Difference::OnPurpose("excused_waiting_siblings")
    } else {
        Difference::Wrong
    }
}

/// The step in which two traces part.
struct Parting<'a> {
    schedule: &'a Schedule,
    step: &'a [Action],
    theirs: Vec<&'a str>,
    ours: Vec<&'a str>,
}

impl Parting<'_> {
    /// One-for-one: OTP has finished starting a child before it looks at what exhausts the budget;
    /// ours is stopped while it starts, so whoever asked for it hears so. All else is the same, and
    /// the group ends here.
    fn an_unfinished_start_was_interrupted(&self) -> bool {
        let excused = |(theirs, ours): (&&str, &&str)| {
            theirs == ours || (["=ok", "=start_failed"].contains(theirs) && *ours == "=interrupted")
        };
        self.schedule.group == GroupStrategy::OneForOne
            && self.ours.last() == Some(&"D:by_itself")
            && self.theirs.len() == self.ours.len()
            && self.theirs.iter().zip(&self.ours).all(excused)
    }

    /// An ordered group: a child whose start failed in the middle of a restart is terminated
    /// before the start is tried again. OTP never starts the siblings that waited for it; ours are
    /// started then: at once, or where the traces part.
    fn siblings_of_a_terminated_child_were_stranded(&self) -> bool {
        let stranded = |action: &Action| {
            let Action::Terminate(id) = action else {
                return false;
            };
            let failed = format!("!{id}");
            let start = |token: &str| token.starts_with(['+', '!']);
            let parted = self.ours.get(self.agreed());
            let mut pairs = self.ours.windows(2);
            self.theirs.contains(&failed.as_str())
                && (parted.is_some_and(|token| start(token))
                    || pairs.any(|pair| pair[0] == failed && start(pair[1])))
        };
        self.schedule.group != GroupStrategy::OneForOne && self.step.iter().any(stranded)
    }

    /// `all_significant`: a significant child ended by itself while a significant sibling waited
    /// for the start that failed. OTP takes the sibling for ended and ends the group.
    fn a_waiting_sibling_counted_as_ended(&self) -> bool {
        let significant = |id: &&str| {
            let child = self.schedule.children.iter().find(|child| child.id == *id);
            child.is_some_and(|child| {
                child.significant && child.restart_type != RestartType::Permanent
            })
        };
        let ended = self.step.iter().filter_map(|action| match action {
            Action::Exit(id, _) => Some(id),
            _ => None,
        });
        let start_failed = self.theirs[..self.agreed()]
            .iter()
            .any(|token| token.starts_with('!'));
        self.schedule.group != GroupStrategy::OneForOne
            && self.schedule.auto_shutdown == AutoShutdown::AllSignificant
            && self.theirs.last() == Some(&"D:by_itself")
            && !self.theirs.iter().any(|token| token.starts_with("G:"))
            && start_failed
            && ended.filter(|id| significant(id)).count() > 0
    }

    /// How many tokens are the same.
    fn agreed(&self) -> usize {
        let pairs = self.theirs.iter().zip(&self.ours);
        pairs.take_while(|(theirs, ours)| theirs == ours).count()
    }
}
