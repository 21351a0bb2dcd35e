//! What a group tells those who ask: pages of children, counts, what is due and what is left.

use std::time::Duration;

use supervision_core::{
    Cause, SupervisionStrategy, Timestamp,
    group::{
        ChildSpec, ChildStatus, Command, Exit, Group, GroupSpec, GroupStatus, GroupStrategy,
        Incarnation, Input,
    },
};

use crate::strategies::{SECOND, restart_after};

const MINUTE: Duration = Duration::from_secs(60);

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs)
}

/// Feeds an input; starts are answered at once, stops are not. Gives the lives that began.
fn feed(group: &mut Group, input: Input, now: Timestamp) -> Vec<Incarnation> {
    let (mut inputs, mut lives) = (vec![input], Vec::new());
    while let Some(input) = inputs.pop() {
        group.handle(input, now, 0);
        while let Some(command) = group.poll_command() {
            if let Command::Start { incarnation, .. } = command {
                lives.push(incarnation);
                inputs.push(Input::Started(incarnation));
            }
        }
    }
    assert_eq!(group.broken_invariant(), None);
    lives
}

fn started(strategy: GroupStrategy, children: usize) -> (Group, Vec<Incarnation>) {
    let mut spec = GroupSpec::new(strategy, restart_after(3, MINUTE, SECOND));
    for n in 0..children {
        let child = ChildSpec::new(format!("c{n}"));
        spec = spec.with_child(if n == 0 {
            child.with_strategy(restart_after(5, MINUTE, SECOND))
        } else {
            child
        });
    }
    let mut group = Group::new(spec).expect("valid");
    assert_eq!(group.status(), GroupStatus::Starting);
    let lives = feed(&mut group, Input::Start, at(1));
    assert_eq!(group.status(), GroupStatus::Running);
    (group, lives)
}

fn counts(group: &Group) -> Vec<(ChildStatus, usize)> {
    group.counts().collect()
}

#[test]
fn a_child_that_waits_for_its_restart_says_until_when() {
    let (mut group, lives) = started(GroupStrategy::OneForOne, 3);
    assert_eq!(counts(&group), [(ChildStatus::Running, 3)]);
    let exit = Exit::Failed(Cause::panic("boom"));
    feed(&mut group, Input::Exited(lives[1], exit), at(10));
    let child = group.children_from(1).next().expect("a child");
    assert_eq!(child.id.as_str(), "c1");
    assert_eq!(
        (child.status, child.due),
        (ChildStatus::Restarting, Some(at(11)))
    );
    let both = [(ChildStatus::Restarting, 1), (ChildStatus::Running, 2)];
    assert_eq!(counts(&group), both);
}

#[test]
fn budgets_of_the_group_and_of_a_child_are_told_apart() {
    let (mut group, lives) = started(GroupStrategy::OneForOne, 2);
    for life in &lives {
        let exit = Exit::Failed(Cause::panic("boom"));
        feed(&mut group, Input::Exited(*life, exit), at(10));
    }
    let left = |budgets: Vec<supervision_core::RemainingBudget>| budgets[0].left;
    assert_eq!(left(group.remaining(at(11))), Some(2));
    assert_eq!(left(group.remaining(at(71))), Some(3));
    assert_eq!(group.remaining_of("c0", at(11)).map(left), Some(Some(4)));
    assert_eq!(group.remaining_of("c1", at(11)), None);
    assert_eq!(group.remaining_of("nobody", at(11)), None);
}

#[test]
fn a_group_says_that_it_asks_its_parent_restarts_or_ends() {
    let spec = GroupSpec::new(GroupStrategy::OneForAll, SupervisionStrategy::Escalate)
        .with_child(ChildSpec::new("a").with_strategy(restart_after(3, MINUTE, Duration::ZERO)))
        .with_child(ChildSpec::new("b"));
    let mut group = Group::new(spec).expect("valid").with_parent(true);
    let lives = feed(&mut group, Input::Start, at(1));
    let (a, b) = (lives[0], lives[1]);
    feed(&mut group, Input::Suspended(a, Cause::panic("boom")), at(2));
    assert_eq!(group.status(), GroupStatus::Restarting);
    feed(&mut group, Input::Stopped(a), at(3));
    let lives = feed(&mut group, Input::Stopped(b), at(3));
    assert_eq!(group.status(), GroupStatus::Running);
    let b = lives[1];
    feed(&mut group, Input::Suspended(b, Cause::panic("boom")), at(4));
    assert_eq!(group.status(), GroupStatus::Escalating);
    let child = group.children_from(1).next().expect("a child");
    assert!(child.is_suspended && child.status == ChildStatus::Failed);
    feed(&mut group, Input::ShutDown, at(5));
    assert_eq!(group.status(), GroupStatus::Ending);
    feed(&mut group, Input::Stopped(b), at(6));
    feed(&mut group, Input::Stopped(lives[0]), at(6));
    assert_eq!(group.status(), GroupStatus::Ended);
}

#[test]
fn pages_go_on_where_the_one_before_ended() {
    let (group, _) = started(GroupStrategy::RestForOne, 10);
    let mut seen = Vec::new();
    let mut from = 0;
    loop {
        let page = group.children_from(from).take(4).collect::<Vec<_>>();
        let Some(last) = page.last() else { break };
        from = last.place + 1;
        seen.extend(page.iter().map(|child| child.id.as_str().to_owned()));
    }
    let all = (0..10).map(|n| format!("c{n}")).collect::<Vec<_>>();
    assert_eq!(seen, all);
}
