//! A snapshot as an indented tree: a line for each node, with what is out of the ordinary.

use std::fmt::{self, Display};

use supervision_core::group::{ChildStatus, GroupStrategy};

use super::{NodeKind, NodeSnapshot, NodeState, TreeSnapshot};
use crate::{death_watch::Termination, event::EndReason};

/// For example
///
/// ```text
/// /server  one for one, running, 3 of 3 restarts left in 1m
/// ├─ database  app::Database, running, 2 restarts, last failure app::Gone
/// └─ connections  dynamic, running, 3 of 3 restarts left in 1m, 1200 children: 1200 running
///    ├─ 1  app::Connection, running
///    └─ and 1199 more
/// ```
impl Display for TreeSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl Display for NodeSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line(f)?;
        self.below(f, "")
    }
}

impl NodeSnapshot {
    fn below(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        let shown = self.children.len();
        let more = self.next.is_some();
        for (at, child) in self.children.iter().enumerate() {
            let (branch, under) = if at + 1 == shown && !more {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            write!(f, "\n{indent}{branch}")?;
            child.line(f)?;
            child.below(f, &format!("{indent}{under}"))?;
        }
        if more {
            let hidden = self.count().saturating_sub(shown);
            write!(f, "\n{indent}└─ and {hidden} more")?;
        }
        Ok(())
    }

    fn line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{id}  ")?,
            None => write!(f, "{}  ", self.path)?,
        }
        match (&self.kind, &self.actor_type) {
            (NodeKind::Actor, Some(name)) => f.write_str(name)?,
            (NodeKind::Actor, None) => f.write_str("an actor")?,
            (NodeKind::Group(strategy), _) => f.write_str(name_of(*strategy))?,
            (NodeKind::Dynamic, _) => f.write_str("dynamic")?,
        }
        write!(f, ", {}", self.state)?;
        match (self.restarts, self.relocations) {
            (0, _) => {}
            (1, 0) => write!(f, ", 1 restart")?,
            (restarts, 0) => write!(f, ", {restarts} restarts")?,
            (restarts, moved) => write!(f, ", {restarts} restarts ({moved} relocations)")?,
        }
        for budget in self.budgets.iter().chain(&self.shared_budgets) {
            write!(f, ", {budget}")?;
        }
        if let Some(record) = &self.last_failure {
            write!(f, ", last failure {}", record.info.error_type)?;
        }
        // Where all are shown and run, the lines below say so.
        if self.next.is_some() || self.children.len() < self.count() {
            write!(f, ", {} children: ", self.count())?;
            for (at, (status, count)) in self.counts.iter().enumerate() {
                let comma = if at == 0 { "" } else { ", " };
                write!(f, "{comma}{count} {}", status_of(*status))?;
            }
        }
        Ok(())
    }
}

fn name_of(strategy: GroupStrategy) -> &'static str {
    match strategy {
        GroupStrategy::OneForOne => "one for one",
        GroupStrategy::OneForAll => "one for all",
        GroupStrategy::RestForOne => "rest for one",
    }
}

fn status_of(status: ChildStatus) -> String {
    format!("{status:?}").to_lowercase()
}

impl Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Running => f.write_str("running"),
            Self::Suspended => f.write_str("suspended until its failure is decided"),
            Self::Undecided => f.write_str("ended, to be decided"),
            Self::BackingOff { left } => write!(f, "restarts in {left:?}"),
            Self::HeldBack { limiter, left } => write!(f, "held back by {limiter} for {left:?}"),
            Self::Awaiting => f.write_str("waits for its turn to start"),
            Self::Restarting => f.write_str("restarting children"),
            Self::Escalating => f.write_str("escalating"),
            Self::Stopping => f.write_str("stopping"),
            Self::Stopped { reason: None } => f.write_str("stopped"),
            Self::Stopped {
                reason: Some(reason),
            } => write!(f, "stopped: {reason}"),
            Self::Unresponsive { last_known } => {
                write!(f, "UNRESPONSIVE, last known as {last_known}")
            }
        }
    }
}

/// In a few words; the failures are in the fields.
impl Display for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actor(reason) => reason.fmt(f),
            Self::Group(end) if end.reason.is_normal() => f.write_str("shut down"),
            Self::Group(_) => f.write_str("gave up"),
            Self::ArbiterStopped => f.write_str("its arbiter has stopped"),
            Self::Gone => f.write_str("gone"),
        }
    }
}

/// In a few words; the failures are in the fields.
impl Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finished => "finished",
            Self::Unreferenced => "no address was left",
            Self::Stopped { .. } => "stopped by its strategy",
            Self::Exhausted { .. } => "its budget was used up",
            Self::Temporary { .. } => "failed, and is temporary",
            Self::Escalated { .. } => "its failure was escalated",
            Self::InvalidStrategy { .. } => "its strategy is invalid",
            Self::Requested => "by request",
            Self::Relocated { .. } => "went to another node",
            Self::WithGroup => "with its group",
            Self::Killed => "killed",
            Self::StartFailed { .. } => "could not be started",
        })
    }
}
