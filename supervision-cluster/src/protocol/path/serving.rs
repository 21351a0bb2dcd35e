//! An actor that runs: what it has handled is written where it must be, and answered.

use bytes::Bytes;

use super::{Context, Path, Phase};
use crate::protocol::{
    bug::Bug,
    desk::{Command, Desk, Report},
    message::{Answer, NotHandled, PeerMessage, Refusal, Request, RequestId},
    record::{Durability, Member, RecordKey},
    write::{Commit, Write},
};

impl Path {
    /// The actor is done with a batch.
    pub(crate) fn handled(
        &mut self,
        desk: &mut Desk<'_>,
        cx: Context<'_>,
        answers: Vec<(RequestId, Answer)>,
        back: Vec<Request>,
        state: Option<Bytes>,
    ) {
        for (id, answer) in &answers {
            self.in_hand.remove(id);
            self.table.note(id, answer.clone());
        }
        for request in back.into_iter().rev() {
            self.in_hand.remove(&request.id);
            self.held.push_front(request);
        }
        if self.durability != Durability::Durable || state.is_none() {
            self.answer_all(desk, cx, &answers);
            return self.go_on(desk, cx);
        }
        self.save(desk, cx, answers, state);
    }

    fn save(
        &mut self,
        desk: &mut Desk<'_>,
        cx: Context<'_>,
        answers: Vec<(RequestId, Answer)>,
        state: Option<Bytes>,
    ) {
        let Phase::Serving { moving, ending } = &self.phase else {
            return;
        };
        let (moving, ending) = (moving.clone(), *ending);
        self.body = state;
        let record = self.state_record(desk);
        self.body = None;
        let key = RecordKey::State(self.path.clone());
        if desk.has(Bug::AnswerBeforeCommit) {
            self.answer_all(desk, cx, &answers);
        }
        let write = Write::start(desk, key, record, self.checkpoint);
        self.phase = Phase::Saving {
            write,
            answers,
            moving,
            ending,
        };
    }

    pub(super) fn saved(
        &mut self,
        desk: &mut Desk<'_>,
        cx: Context<'_>,
        commit: &Commit,
        answers: &[(RequestId, Answer)],
        moving: Option<Member>,
        ending: bool,
    ) {
        self.checkpoint = Some(commit.revision);
        self.phase = Phase::Serving { moving, ending };
        self.answer_all(desk, cx, answers);
        self.go_on(desk, cx);
    }

    /// A later activation has sealed the checkpoint: this one is over. What was handled and not
    /// written has had no effect that counts, or stands in what was sealed; who asked will ask again.
    pub(super) fn superseded(&mut self, desk: &mut Desk<'_>) {
        self.let_go(desk, &NotHandled::Refused(Refusal::NotHere));
    }

    fn answer_all(&self, desk: &mut Desk<'_>, cx: Context<'_>, answers: &[(RequestId, Answer)]) {
        let Some(epoch) = self.epoch().filter(|_| cx.valid) else {
            return;
        };
        for (id, answer) in answers {
            self.answer(desk, epoch, id, answer.clone());
        }
    }

    /// Does next what waits to be done once nothing is in hand.
    pub(super) fn go_on(&mut self, desk: &mut Desk<'_>, cx: Context<'_>) {
        let Phase::Serving { moving, ending } = &self.phase else {
            return;
        };
        if *ending || self.over {
            return self.end_when_idle(desk);
        }
        match moving.clone() {
            Some(to) => self.pack_when_idle(desk, to),
            None => self.dispatch(desk, cx),
        }
    }

    /// Ends it once it has answered what it has in hand.
    pub(crate) fn end(&mut self, desk: &mut Desk<'_>, cx: Context<'_>) {
        if let Phase::Serving { ending, .. } | Phase::Saving { ending, .. } = &mut self.phase {
            *ending = true;
        }
        self.go_on(desk, cx);
    }

    /// Its supervision has ended by itself: what it had in hand is lost.
    pub(crate) fn ended_by_itself(&mut self, desk: &mut Desk<'_>, cx: Context<'_>) {
        self.over = true;
        self.in_hand.clear();
        if let Phase::Starting | Phase::Packing(_) = self.phase {
            self.phase = Phase::Serving {
                moving: None,
                ending: true,
            };
        }
        self.go_on(desk, cx);
    }

    fn end_when_idle(&mut self, desk: &mut Desk<'_>) {
        if self.in_hand.is_empty() {
            self.empty(desk);
        }
    }

    /// It is written down that it has ended.
    pub(super) fn ended(&mut self, desk: &mut Desk<'_>) {
        desk.put(Command::Report(Report::Ended(self.path.clone())));
        self.let_go(desk, &NotHandled::Refused(Refusal::NoSuchActor));
    }

    /// Sends what was held to the new owner, once more until it says that it has it.
    pub(super) fn resend_take(&mut self, desk: &mut Desk<'_>, cx: Context<'_>) {
        if let Phase::Away {
            to,
            take,
            resend_at,
        } = &mut self.phase
        {
            *resend_at = desk.now.saturating_add(cx.terms.pause());
            desk.send(&to.clone(), PeerMessage::Take((**take).clone()));
        }
    }
}
