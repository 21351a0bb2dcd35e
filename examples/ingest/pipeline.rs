//! Starts the actors, waits until the reader is done, and asks the supervisors what happened.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    rc::Rc,
};

use actix::prelude::*;
use indicatif::ProgressBar;
use supervision_actix::prelude::*;
use tokio::sync::oneshot;

use crate::{
    casebook::Casebook,
    faults::Faults,
    parser::Parser,
    reader::{Finished, Plan, Reader, Work},
    tally::{Counts, Tally},
    writer,
};

/// What a run needs to know.
pub(crate) struct Job {
    pub(crate) input: File,
    /// The directory of the input, where labels are looked for.
    pub(crate) labels: PathBuf,
    pub(crate) output: PathBuf,
    pub(crate) faults: Faults,
    pub(crate) parsers: usize,
    pub(crate) tries: u32,
    pub(crate) bar: ProgressBar,
}

/// What a run came to.
pub(crate) struct Outcome {
    /// `None` if the reader itself gave up.
    pub(crate) finished: Option<Finished>,
    pub(crate) counts: Counts,
    /// The poison, with the last panic of each line.
    pub(crate) cases: BTreeMap<u64, String>,
    /// The failures that the supervisors remember, oldest first.
    pub(crate) records: Vec<FailureRecord>,
}

type Problem = Box<dyn std::error::Error>;

/// Runs the pipeline to its end. The output file exists and is empty.
pub(crate) async fn run(job: Job) -> Result<Outcome, Problem> {
    let (tally, casebook) = (Tally::default(), Casebook::default());
    let arbiters: Vec<_> = (0..=job.parsers).map(|_| Arbiter::new()).collect();
    let (writers, parsing) = arbiters.split_at(1);
    let writer = start_writer(&job.output, job.faults, &writers[0], &tally)?;
    let parsers: Vec<_> = parsing
        .iter()
        .enumerate()
        .map(|(number, arbiter)| start_parser(number + 1, &job, &casebook, arbiter, &tally))
        .collect();

    let plan = Plan {
        parsers: addresses(&parsers).await?,
        writer: address(&writer).await?,
        faults: job.faults,
        tries: job.tries,
        bar: job.bar,
    };
    let (told, finished) = oneshot::channel();
    let reader = start_reader(plan, Work::new(job.input, told), &tally);
    let finished = finished.await.ok();

    let mut records = reader.send(GetFailureRecords::new()).await?;
    records.extend(writer.send(GetFailureRecords::new()).await?);
    for parser in &parsers {
        records.extend(parser.send(GetFailureRecords::new()).await?);
    }
    records.sort_by_key(|record| record.info.time);
    for arbiter in arbiters {
        arbiter.stop();
    }
    Ok(Outcome {
        finished,
        counts: tally.counts(),
        cases: casebook.cases(),
        records,
    })
}

fn start_reader(plan: Plan, work: Work, tally: &Tally) -> Addr<SupervisorActor<Reader>> {
    let plan = Rc::new(plan);
    // Only the first incarnation gets the work from here; the others are handed it.
    let mut work = Some(work);
    ActorProps::from_factory(move || Reader::new(plan.clone(), work.take()))
        .with_observer(tally.observer())
        .start()
}

fn start_parser(
    number: usize,
    job: &Job,
    casebook: &Casebook,
    arbiter: &Arbiter,
    tally: &Tally,
) -> Addr<SupervisorActor<Parser>> {
    let (labels, casebook) = (job.labels.clone(), casebook.clone());
    let (faults, tries) = (job.faults, job.tries);
    let path = format!("/ingest/parser-{number}");
    ActorProps::from_factory(move || Parser {
        path: path.clone(),
        labels: labels.clone(),
        faults,
        casebook: casebook.clone(),
        tries,
        suspect: None,
    })
    .with_observer(tally.observer())
    .start_in_arbiter(&arbiter.handle())
}

fn start_writer(
    output: &Path,
    faults: Faults,
    arbiter: &Arbiter,
    tally: &Tally,
) -> Result<Addr<SupervisorActor<writer::Writer>>, Problem> {
    // Two batches are storing at a time; a third never comes.
    let props = ActorProps::from_factory(writer::factory(output.to_owned(), faults))
        .with_supervision(writer::strategy()?)
        .with_mailbox_capacity(2)
        .with_observer(tally.observer());
    Ok(props.try_start_in_arbiter(&arbiter.handle())?)
}

/// The address of a supervised actor, which is good for all its incarnations.
async fn address<A: Actor<Context = Context<A>>>(
    supervisor: &Addr<SupervisorActor<A>>,
) -> Result<Addr<A>, Problem> {
    let address = supervisor.send(GetActorAddr::new()).await?;
    address.ok_or_else(|| "an actor ended at its start".into())
}

async fn addresses<A: Actor<Context = Context<A>>>(
    supervisors: &[Addr<SupervisorActor<A>>],
) -> Result<Vec<Addr<A>>, Problem> {
    let mut all = Vec::new();
    for supervisor in supervisors {
        all.push(address(supervisor).await?);
    }
    Ok(all)
}
