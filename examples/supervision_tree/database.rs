//! The database: an actor that holds a connection to a disk which is not always there.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use actix::prelude::*;
use supervision_actix::prelude::*;

/// What outlives the actor.
#[derive(Default)]
pub(crate) struct Disk {
    values: Mutex<BTreeMap<String, String>>,
    away_until: Mutex<Option<Instant>>,
    attempts: AtomicUsize,
}

impl Disk {
    /// The disk is not there for a while.
    pub(crate) fn go_away_for(&self, time: Duration) {
        *self.away_until.lock().expect("no panic") = Some(Instant::now() + time);
    }

    /// How often the actor tried to connect.
    pub(crate) fn attempts(&self) -> usize {
        self.attempts.load(Ordering::Relaxed)
    }

    fn look(&self) -> Result<(), Gone> {
        let until = *self.away_until.lock().expect("no panic");
        match until {
            Some(until) if Instant::now() < until => Err(Gone),
            _ => Ok(()),
        }
    }
}

/// The disk is not there.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the disk is gone")]
pub(crate) struct Gone;

pub(crate) struct Database(Arc<Disk>);

impl Database {
    /// Fails while the disk is away, and is tried again.
    pub(crate) fn connect(disk: &Arc<Disk>) -> Result<Self, Gone> {
        disk.attempts.fetch_add(1, Ordering::Relaxed);
        disk.look()?;
        Ok(Self(disk.clone()))
    }
}

impl Actor for Database {
    type Context = Context<Self>;
}

/// A question to the database.
#[derive(Clone, Message)]
#[rtype(result = "Result<Option<String>, Gone>")]
pub(crate) enum Query {
    Get(String),
    Put(String, String),
}

impl Handler<Query> for Database {
    type Result = Result<Option<String>, Gone>;

    fn handle(&mut self, query: Query, ctx: &mut Context<Self>) -> Self::Result {
        if let Err(gone) = self.0.look() {
            println!("    ! {gone}");
            // "I cannot go on like this": the group has it restarted.
            ctx.fail(gone);
            return Err(gone);
        }
        let mut values = self.0.values.lock().expect("no panic");
        Ok(match query {
            Query::Get(key) => values.get(&key).cloned(),
            Query::Put(key, value) => values.insert(key, value),
        })
    }
}
