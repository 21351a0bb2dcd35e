//! Supervisors of very many children, and trees that fail while they are asked.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use actix::prelude::*;
use supervision_actix::{
    NodeKind, NodeState, SnapshotOptions,
    group::{ChildStatus, DynamicProps, DynamicSupervisor, GroupStrategy},
};

use super::{through_json, tree};
use crate::{
    child::alone,
    group_stage::{Act, Stage, player},
    probe::restart,
    quiet::on_system,
};

struct Idle;

impl Actor for Idle {
    type Context = Context<Self>;
}

type Pool = DynamicSupervisor<Idle, u32>;

async fn pool(children: u32) -> Pool {
    let pool = DynamicProps::new("/pool", restart(3, 0), |_: &u32| Idle).start();
    for n in 0..children {
        pool.add(format!("{n}"), n).await.expect("it starts");
    }
    pool
}

#[test]
fn a_page_of_very_many_children_does_not_look_at_the_others() {
    let run = || {
        on_system(async {
            let children = if cfg!(debug_assertions) {
                20_000
            } else {
                100_000
            };
            let pool = pool(children).await;
            let (mut page, mut tree) = (Duration::MAX, None);
            for _ in 0..5 {
                let begun = Instant::now();
                tree = Some(pool.snapshot().await);
                page = page.min(begun.elapsed());
            }
            let tree = tree.expect("five of them");
            let begun = Instant::now();
            let every = SnapshotOptions::new()
                .with_page(usize::MAX)
                .with_deadline(Duration::from_secs(30));
            let all = pool.snapshot_with(every).await;
            let whole = begun.elapsed();
            println!("{children} children: a page of 64 in {page:?}, all in {whole:?}");
            let count = usize::try_from(children).expect("few");
            assert_eq!(
                (tree.root.kind, tree.root.count()),
                (NodeKind::Dynamic, count)
            );
            assert_eq!(tree.root.children.len(), 64);
            assert_eq!(all.root.children.len(), count);
            assert!(
                all.root
                    .children
                    .iter()
                    .all(|child| child.state == NodeState::Running)
            );
            assert!(
                page * 20 < whole,
                "a page costs {page:?}, all cost {whole:?}"
            );
            let shown = tree.to_string();
            assert!(shown.lines().count() == 66, "{shown}");
            assert!(
                shown.ends_with(&format!("└─ and {} more", count - 64)),
                "{shown}"
            );
        });
    };
    let name = "snapshot::many::a_page_of_very_many_children_does_not_look_at_the_others";
    alone(name, Duration::from_secs(120), run);
}

#[test]
fn pages_tell_of_every_child_once_while_others_come_and_go() {
    on_system(async {
        let pool = pool(1_000).await;
        let mut seen = BTreeSet::new();
        let mut options = SnapshotOptions::new().with_page(100);
        for round in 0.. {
            let page = through_json(pool.snapshot_with(options.clone()).await).root;
            for child in &page.children {
                let id = child.id.clone().expect("an id");
                assert_eq!(child.path, format!("/pool/{id}"));
                assert!(seen.insert(id), "told twice: {child}");
            }
            // Among them the last one of the page, where the next one begins.
            let last = page.children.last().and_then(|child| child.id.clone());
            pool.remove(last.expect("a child").as_str())
                .await
                .expect("it runs");
            pool.add(format!("new {round}"), round)
                .await
                .expect("it starts");
            let Some(next) = page.next else { break };
            options = options.starting_at(next);
        }
        let of_old = seen.iter().filter(|id| !id.as_str().starts_with("new"));
        assert_eq!(of_old.count(), 1_000);
    });
}

#[test]
fn a_summary_asks_no_child_and_counts_them_all() {
    on_system(async {
        let pool = pool(50).await;
        let summary = pool
            .snapshot_with(SnapshotOptions::new().with_depth(0))
            .await
            .root;
        assert!(summary.children.is_empty() && summary.next.is_none());
        assert_eq!(
            summary.counts.into_iter().collect::<Vec<_>>(),
            [(ChildStatus::Running, 50)]
        );
        pool.shutdown().await;
    });
}

#[test]
fn trees_can_be_asked_in_a_storm() {
    on_system(async {
        let stage = Stage::new();
        let arbiter = Arbiter::new();
        let group = stage
            .trio(GroupStrategy::OneForAll)
            .child(stage.child("far").on_arbiter(arbiter.handle()))
            .start();
        assert_eq!(group.started().await, Ok(()));
        let mut states = BTreeSet::new();
        let patient = SnapshotOptions::new().with_deadline(Duration::from_secs(30));
        for round in 0..500 {
            let name = ["a", "b", "c", "far"][round % 4];
            player(&group, name).do_send(if round % 3 == 0 {
                Act::panic()
            } else {
                Act::fail()
            });
            let told = through_json(group.snapshot_with(patient.clone()).await);
            assert_eq!((told.root.count(), told.root.children.len()), (4, 4));
            states.extend(told.nodes().map(|node| node.state.to_string()));
        }
        assert!(states.len() >= 3, "the storm did not show: {states:?}");
        assert!(
            !states.iter().any(|state| state.contains("UNRESPONSIVE")),
            "{states:?}"
        );
        for name in ["a", "b", "c", "far"] {
            assert!(player(&group, name).send(Act::nothing()).await.is_ok());
        }
        let told = tree(&group).await;
        assert!(
            told.nodes().all(|node| node.state == NodeState::Running),
            "{told}"
        );
        assert!(
            told.root.children.iter().all(|child| child.restarts > 100),
            "{told}"
        );
        group.shutdown().await;
        arbiter.stop();
    });
}
