//! Writes under faults, compared with what the store says it did.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use supervision_cluster::engine::{
    Engine, Entry, Expected, Key, Revision, WriteError,
    in_process::{Chance, Faults, InProcess, Options, Span, Step, TraceEvent},
};

use super::{key, millis, traced, virtually};
use crate::contract::bytes;

/// One write as its caller saw it.
struct Attempt {
    key: Key,
    nonce: String,
    expected: Expected,
    outcome: Result<Revision, WriteError>,
}

/// Writes to some keys until it has tried often enough, each time with another nonce.
async fn client(engine: Arc<dyn Engine>, id: u64, tries: usize) -> Vec<Attempt> {
    let mut rng = fastrand::Rng::with_seed(id);
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut known: BTreeMap<Key, Revision> = BTreeMap::new();
    for n in 0..tries {
        let key = key(&rng.u8(0..4).to_string());
        if rng.bool() {
            match engine.get(&key).await {
                Ok(Some(Entry { revision, .. })) => _ = known.insert(key.clone(), revision),
                Ok(None) => _ = known.remove(&key),
                Err(_) => continue,
            }
        }
        let expected = known
            .get(&key)
            .map_or(Expected::Absent, |at| Expected::Revision(*at));
        let nonce = format!("{id} {n}");
        let outcome = engine.write(&key, bytes(&nonce), expected, None).await;
        if let Ok(revision) = outcome {
            known.insert(key.clone(), revision);
        }
        attempts.push(Attempt {
            key,
            nonce,
            expected,
            outcome,
        });
        millis(rng.u64(0..20)).await;
    }
    attempts
}

/// What the store did, by nonce: each follows the write it belongs to.
fn decided(trace: &[TraceEvent]) -> BTreeMap<u64, Vec<(Step, u64)>> {
    let mut decided: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for pair in trace.windows(2) {
        if pair[0].step == Step::Write {
            let decision = (pair[1].step, pair[1].number);
            assert!(
                matches!(decision.0, Step::Commit | Step::Conflict),
                "{}",
                pair[1]
            );
            decided.entry(pair[0].number).or_default().push(decision);
        }
    }
    decided
}

/// FNV-1a, written down a second time.
fn digest(text: &str) -> u64 {
    let mut digest: u64 = 14_695_981_039_346_656_037;
    for byte in text.bytes() {
        digest ^= u64::from(byte);
        digest = digest.wrapping_mul(1_099_511_628_211);
    }
    digest
}

#[derive(Default)]
struct Tally {
    won: u64,
    lost: u64,
    refused: u64,
    unknown_committed: u64,
    unknown_not: u64,
}

fn check(attempts: &[Attempt], trace: &[TraceEvent], tally: &mut Tally) {
    let decided = decided(trace);
    let mut winners = BTreeSet::new();
    for attempt in attempts {
        let decisions = decided.get(&digest(&attempt.nonce));
        let decisions = decisions.map_or(&[][..], Vec::as_slice);
        assert!(decisions.len() <= 1, "{} was decided twice", attempt.nonce);
        let committed = match decisions {
            [(Step::Commit, revision)] => Some(Revision::new(*revision)),
            _ => None,
        };
        match &attempt.outcome {
            Ok(revision) => {
                assert_eq!(committed, Some(*revision));
                tally.won += 1;
            }
            Err(WriteError::Conflict { .. }) => {
                assert_eq!(decisions.len(), 1);
                assert_eq!(committed, None);
                tally.lost += 1;
            }
            Err(WriteError::Refused(_)) => {
                assert!(decisions.is_empty());
                tally.refused += 1;
            }
            Err(WriteError::Unknown) if committed.is_some() => tally.unknown_committed += 1,
            Err(WriteError::Unknown) => tally.unknown_not += 1,
        }
        // Keys are never deleted here, so that absent is as unique as a revision.
        if committed.is_some() {
            let expected = format!("{} {:?}", attempt.key, attempt.expected);
            assert!(
                winners.insert(expected),
                "{} won a second time",
                attempt.nonce
            );
        }
    }
}

#[test]
fn an_expected_revision_has_one_winner_and_an_unknown_write_happens_once_or_never() {
    let mut tally = Tally::default();
    let (mut late, mut unheard, mut stale) = (0, 0, 0);
    for seed in 0..30 {
        let mut faults = Faults::rough();
        faults.store.late_commit = Chance::percent(10);
        let (options, trace) = traced(Options::seeded(seed).faults(faults));
        let attempts = virtually(async {
            let engine = InProcess::new(options);
            let clients = (0..6).map(|id| client(engine.connect(&format!("n{id}")), id, 60));
            let attempts = join_all(clients).await;
            // What is late happens, too.
            millis(10_000).await;
            let stats = engine.stats();
            late += stats.late_commits;
            unheard += stats.committed_unheard;
            stale += stats.stale_gets;
            attempts
        });
        let attempts: Vec<_> = attempts.into_iter().flatten().collect();
        check(&attempts, &trace.lock().unwrap(), &mut tally);
    }
    assert!(tally.won > 500 && tally.lost > 500 && tally.refused > 50);
    assert!(tally.unknown_committed > 50 && tally.unknown_not > 50);
    assert!(
        late > 500 && unheard > 30 && stale > 100,
        "{late} {unheard} {stale}"
    );
}

#[test]
fn a_write_can_be_decided_after_its_caller_gave_up() {
    virtually(async {
        let mut faults = Faults::default();
        faults.store.late_commit = Chance::ALWAYS;
        faults.store.late_by = Span::millis(2_500, 4_000);
        let engine = InProcess::new(Options::seeded(7).faults(faults));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let written = a
            .write(&key("k"), bytes("late"), Expected::Absent, None)
            .await;
        assert_eq!(written, Err(WriteError::Unknown));
        assert_eq!(b.get(&key("k")).await, Ok(None));
        millis(2_100).await;
        assert_eq!(
            b.get(&key("k")).await.unwrap().unwrap().value,
            bytes("late")
        );
        let stats = engine.stats_of("a");
        assert_eq!(
            (stats.late_commits, stats.committed_unheard, stats.unknown),
            (1, 1, 1)
        );
    });
}

#[test]
fn a_late_write_loses_to_one_that_came_before_it() {
    virtually(async {
        let mut faults = Faults::default();
        faults.store.late_commit = Chance::ALWAYS;
        faults.store.late_by = Span::millis(500, 500);
        let engine = InProcess::new(Options::seeded(7).faults(faults));
        let (a, b) = (engine.connect("a"), engine.connect("b"));
        let late = a.write(&key("k"), bytes("late"), Expected::Absent, None);
        let early = async {
            millis(100).await;
            engine.set_faults(Faults::default());
            b.write(&key("k"), bytes("early"), Expected::Absent, None)
                .await
        };
        let (late, early) = futures_util::future::join(late, early).await;
        assert!(matches!(late, Err(WriteError::Conflict { .. })), "{late:?}");
        assert!(early.is_ok());
    });
}

#[test]
fn a_write_whose_future_was_dropped_still_happens() {
    virtually(async {
        let mut faults = Faults::default();
        faults.store.link.delay = Span::millis(50, 50);
        let engine = InProcess::new(Options::seeded(7).faults(faults));
        let a = engine.connect("a");
        let never_sent = a.write(&key("never"), bytes("1"), Expected::Absent, None);
        drop(never_sent);
        let sent = a.write(&key("sent"), bytes("1"), Expected::Absent, None);
        let given_up = tokio::time::timeout(Duration::from_millis(10), sent).await;
        assert!(given_up.is_err());
        millis(100).await;
        assert_eq!(a.get(&key("never")).await, Ok(None));
        assert!(a.get(&key("sent")).await.unwrap().is_some());
    });
}

#[test]
fn a_stale_read_shows_what_was_true_within_its_bound() {
    virtually(async {
        let mut faults = Faults::default();
        faults.store.stale_get = Chance::ALWAYS;
        faults.store.stale_by = Duration::from_millis(250);
        let engine = InProcess::new(Options::seeded(9).faults(faults));
        let a = engine.connect("a");
        let mut revision = None;
        let mut ages = BTreeSet::new();
        for n in 0..300_u32 {
            let expected = revision.map_or(Expected::Absent, Expected::Revision);
            let value = bytes(&n.to_string());
            revision = Some(a.write(&key("k"), value, expected, None).await.unwrap());
            if let Some(read) = a.get(&key("k")).await.unwrap() {
                let read: u32 = std::str::from_utf8(&read.value).unwrap().parse().unwrap();
                ages.insert(n - read);
            }
            millis(100).await;
        }
        // One write each 100 ms: at most the third last one was true 250 ms ago.
        assert_eq!(ages, BTreeSet::from([0, 1, 2, 3]));
        assert!(engine.stats().stale_gets > 100);
    });
}
