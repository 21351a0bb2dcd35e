//! What a node's user, or its policy, wants of it.

use super::*;

impl NodeMachine {
    pub(super) fn order(&mut self, order: Order, now: Timestamp, tray: &mut Vec<Command>) {
        match order {
            Order::Create { path, kind, owner } => self.create(path, kind, owner, now, tray),
            Order::Move { path, to } => {
                // Nothing is given to a boot that is not known to have joined: that is what tells it
                // from the boots before it.
                if !self.paths.contains_key(&path) || !self.may_be_given(&to) {
                    return tray.push(Command::Report(Report::NotMoved(path)));
                }
                self.with_path(&path, now, tray, |path, desk, _| path.order_move(desk, to));
            }
            Order::End(path) => {
                self.with_path(&path, now, tray, |path, desk, cx| path.end(desk, cx))
            }
            Order::Leave => {
                if !self.paths.is_empty() || !self.may_act(now) {
                    return tray.push(Command::Report(Report::NotLeft));
                }
                self.with_lease(now, tray, |lease, desk, _| {
                    lease.leave(desk);
                    LeaseNews::None
                });
            }
        }
    }

    /// Whether something may be given to another member.
    pub(super) fn may_be_given(&self, to: &Member) -> bool {
        let known = self.observer.is_member(to) || self.settings.bugs.has(Bug::GivenToStrangers);
        *to != self.me && known
    }
}

/// What a user of a boot that is over is told.
pub(super) fn refused(input: Input) -> Option<Command> {
    match input {
        Input::Call(call) => Some(Command::Resolve {
            token: call.token,
            outcome: CallOutcome::Refused(Refusal::Fenced),
        }),
        Input::Order(Order::Create { path, .. }) => {
            Some(Command::Report(Report::NotCreated(path, None)))
        }
        Input::Order(Order::Move { path, .. }) => Some(Command::Report(Report::NotMoved(path))),
        Input::Order(Order::Leave) => Some(Command::Report(Report::NotLeft)),
        _ => None,
    }
}
