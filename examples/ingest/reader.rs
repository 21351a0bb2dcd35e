//! The reader: keeps the accounts, hands lines to the parsers and batches to the writer.
//!
//! It asks and is answered; when the answer is that somebody crashed, it asks again. Nothing it
//! asks for does harm when it is done twice: parsing changes nothing, and the writer knows what it
//! has stored. That, and accounts that balance, is what "exactly once" is made of.

use std::{fs::File, io, rc::Rc};

use actix::prelude::*;
use indicatif::ProgressBar;
use supervision_actix::prelude::*;
use tokio::sync::oneshot;

use crate::{
    faults::{Faults, bad_moment},
    ledger::{Ledger, Totals},
    parser::{LabelError, Parse, Parsed, Parser},
    record::Refusal,
    source::Source,
    writer::{Store, Writer},
};

/// Whom the reader works with, and how.
pub(crate) struct Plan {
    pub(crate) parsers: Vec<Addr<Parser>>,
    pub(crate) writer: Addr<Writer>,
    pub(crate) faults: Faults,
    /// Crashes after which a line is poison.
    pub(crate) tries: u32,
    pub(crate) bar: ProgressBar,
}

/// What is told when nothing is left to do.
pub(crate) struct Finished {
    pub(crate) read: u64,
    /// Lines that could not be finished because somebody gave up.
    pub(crate) open: u64,
    pub(crate) totals: Totals,
}

/// Everything that must outlive an incarnation of the reader.
pub(crate) struct Work {
    source: Source,
    /// A line whose reading failed once is not failed again.
    last_fault: u64,
    ledger: Ledger,
    finished: Option<oneshot::Sender<Finished>>,
}

impl Work {
    pub(crate) fn new(file: File, finished: oneshot::Sender<Finished>) -> Self {
        Self {
            source: Source::new(file),
            last_fault: 0,
            ledger: Ledger::default(),
            finished: Some(finished),
        }
    }
}

/// Reads the input. A file that cannot be read at all is given up after two seconds.
#[derive(DistributedActor, SupervisedDistributedActor)]
#[actor(path = "/ingest/reader")]
#[supervision(
    on(io::Error => restart(max = 100, within = "10s", delay = "20ms")),
    default = stop,
    before_restart = Self::hand_over_work,
)]
pub(crate) struct Reader {
    plan: Rc<Plan>,
    /// `None` in a new incarnation until it has fetched what was handed over.
    work: Option<Work>,
}

impl Reader {
    pub(crate) fn new(plan: Rc<Plan>, work: Option<Work>) -> Self {
        Self { plan, work }
    }
}

impl Actor for Reader {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if self.work.is_none() {
            self.work = ctx.take_handed();
        }
        self.ask_again(ctx);
        self.advance(ctx);
    }
}

impl Reader {
    fn hand_over_work(&mut self, ctx: &mut Context<Self>, _: Option<FailureInfo>) {
        if let Some(work) = self.work.take() {
            // Refused only outside a supervisor, and then there is no restart either.
            let _ = ctx.hand_over(work);
        }
    }

    /// The questions of the incarnation before died with it: everything open is asked anew.
    fn ask_again(&mut self, ctx: &mut Context<Self>) {
        let Some(work) = &self.work else {
            ctx.stop();
            return;
        };
        let (lines, batches) = (work.ledger.lines_parsing(), work.ledger.batches_storing());
        for line in lines {
            self.ask_parser(line, ctx);
        }
        for batch in batches {
            self.ask_writer(batch, ctx);
        }
    }

    /// Does what can be done now.
    fn advance(&mut self, ctx: &mut Context<Self>) {
        loop {
            let Some(work) = &mut self.work else { return };
            if let Some(batch) = work.ledger.cut_batch() {
                self.ask_writer(batch, ctx);
            } else if work.ledger.wants_line() {
                match self.read_line() {
                    Ok(Some(line)) => self.ask_parser(line, ctx),
                    Ok(None) => {}
                    Err(error) => return ctx.fail(error),
                }
            } else {
                break;
            }
        }
        if self
            .work
            .as_ref()
            .is_some_and(|work| work.ledger.is_settled())
        {
            self.finish(ctx);
        }
    }

    /// Takes in one line; `None` at the end of the input.
    fn read_line(&mut self) -> io::Result<Option<u64>> {
        let Some(work) = &mut self.work else {
            return Ok(None);
        };
        let next = work.ledger.read() + 1;
        if work.last_fault != next && self.plan.faults.breaks_read(next) {
            work.last_fault = next;
            return Err(bad_moment("a line not read"));
        }
        let Some(text) = work.source.next_line()? else {
            work.ledger.end_input();
            return Ok(None);
        };
        self.plan.bar.set_position(work.source.bytes());
        Ok(Some(work.ledger.admit(text)))
    }

    fn ask_parser(&mut self, line: u64, ctx: &mut Context<Self>) {
        let attempt = self
            .work
            .as_ref()
            .and_then(|work| work.ledger.attempt(line));
        let Some(attempt) = attempt else { return };
        let alive = || self.plan.parsers.iter().filter(|parser| parser.connected());
        let turn = line as usize % alive().count().max(1);
        let Some(parser) = alive().nth(turn) else {
            return self.finish(ctx);
        };
        let question = parser.send(Parse {
            line,
            text: attempt.text.clone(),
            tries: attempt.tries,
        });
        let answered = question
            .into_actor(self)
            .map(move |answer, reader, ctx| reader.hear_parser(line, answer, ctx));
        ctx.spawn(answered);
    }

    fn hear_parser(
        &mut self,
        line: u64,
        answer: Result<Result<Parsed, LabelError>, MailboxError>,
        ctx: &mut Context<Self>,
    ) {
        let Some(work) = &mut self.work else { return };
        match answer {
            Ok(Ok(Parsed::Record(record))) => work.ledger.accept(record),
            Ok(Ok(Parsed::Refused(reason))) => work.ledger.refuse(line, reason),
            Ok(Err(_)) => work.ledger.refuse(line, Refusal::MissingLabel),
            // The parser crashed over this line, and over no other: those queued behind it are
            // handled by its next incarnation.
            Err(_) if work.ledger.count_crash(line) < self.plan.tries => self.ask_parser(line, ctx),
            Err(_) => work.ledger.refuse(line, Refusal::Poison),
        }
        self.advance(ctx);
    }

    fn ask_writer(&mut self, number: u64, ctx: &mut Context<Self>) {
        let batch = self
            .work
            .as_ref()
            .and_then(|work| work.ledger.batch(number));
        let Some(batch) = batch else { return };
        let question = self.plan.writer.send(Store(batch));
        let answered = question
            .into_actor(self)
            .map(move |answer, reader, ctx| reader.hear_writer(number, answer, ctx));
        ctx.spawn(answered);
    }

    fn hear_writer(
        &mut self,
        number: u64,
        answer: Result<io::Result<Vec<u64>>, MailboxError>,
        ctx: &mut Context<Self>,
    ) {
        let Some(work) = &mut self.work else { return };
        match answer {
            Ok(Ok(duplicates)) => work.ledger.confirm(number, &duplicates),
            // Its supervisor gave up.
            _ if !self.plan.writer.connected() => return self.finish(ctx),
            // Perhaps it is on disk, perhaps not. The next writer will know.
            _ => self.ask_writer(number, ctx),
        }
        self.advance(ctx);
    }

    /// Says what came of it all, and stops.
    fn finish(&mut self, ctx: &mut Context<Self>) {
        let Some(mut work) = self.work.take() else {
            return;
        };
        if let Some(finished) = work.finished.take() {
            // If nobody listens any more there is nothing to tell.
            let _ = finished.send(Finished {
                read: work.ledger.read(),
                open: work.ledger.open(),
                totals: work.ledger.totals().clone(),
            });
        }
        ctx.stop();
    }
}
