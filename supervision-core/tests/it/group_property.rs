//! Groups in random worlds: whatever happens, and however long it takes, the rules hold.

use std::{collections::BTreeMap, time::Duration};

use supervision_core::{
    Backoff, Cause, Decision, PlacementStrategy, RestartType, SupervisionMatcher,
    SupervisionStrategy, Timestamp,
    group::{
        AutoShutdown, ChildSpec, ChildStatus, Command, EndReason, Exit, Group, GroupSpec,
        GroupStrategy, Input, Shutdown, Verdict,
    },
};

use crate::{
    group_world::{Life, World},
    property::cases,
    rng::Rng,
};

const GROUPS: [GroupStrategy; 3] = [
    GroupStrategy::OneForOne,
    GroupStrategy::OneForAll,
    GroupStrategy::RestForOne,
];

pub(crate) fn restart(max_restarts: usize, delay: Duration) -> SupervisionStrategy {
    SupervisionStrategy::Restart {
        max_restarts,
        window: Duration::from_secs(3_600),
        delay,
    }
}

fn any_strategy(rng: &mut Rng) -> SupervisionStrategy {
    let seconds = Duration::from_secs;
    match rng.below(7) {
        0 => restart(rng.below(4) as usize, Duration::ZERO),
        1 => restart(20, Duration::ZERO),
        2 => restart(20, seconds(2)),
        3 => SupervisionStrategy::RestartWithBackoff {
            max_restarts: 20,
            window: seconds(3_600),
            backoff: Backoff::new(seconds(1), seconds(30)).expect("valid"),
        },
        4 => SupervisionStrategy::Match {
            default: Box::new(restart(10, Duration::ZERO)),
            matchers: vec![SupervisionMatcher::new(
                "Io",
                rng.pick(&[&SupervisionStrategy::Escalate, &SupervisionStrategy::Stop])
                    .clone(),
            )],
        },
        5 => SupervisionStrategy::Ladder {
            rungs: vec![
                restart(2, Duration::ZERO),
                SupervisionStrategy::Relocate {
                    placement: PlacementStrategy::RoundRobin,
                    max_relocations: 3,
                    delay: seconds(1),
                },
                SupervisionStrategy::Escalate,
            ],
        },
        _ => SupervisionStrategy::Resume,
    }
}

fn any_spec(rng: &mut Rng) -> GroupSpec {
    let auto_shutdown = rng.pick(&[
        AutoShutdown::Never,
        AutoShutdown::AnySignificant,
        AutoShutdown::AllSignificant,
    ]);
    let spec =
        GroupSpec::new(rng.pick(&GROUPS), any_strategy(rng)).with_auto_shutdown(auto_shutdown);
    (0..rng.below(7)).fold(spec, |spec, number| {
        let restart_type = rng.pick(&[
            RestartType::Permanent,
            RestartType::Permanent,
            RestartType::Transient,
            RestartType::Temporary,
        ]);
        let may_be = auto_shutdown != AutoShutdown::Never && restart_type != RestartType::Permanent;
        let child = ChildSpec::new(format!("child {number}"))
            .with_restart_type(restart_type)
            .with_significant(may_be && rng.below(2) == 0)
            .with_shutdown(Shutdown::Timeout(Duration::from_secs(1 + rng.below(9))));
        spec.with_child(match rng.below(5) {
            0 => child.with_strategy(any_strategy(rng)),
            _ => child,
        })
    })
}

/// One random thing happens.
fn step(world: &mut World, rng: &mut Rng) {
    world.now = world
        .now
        .saturating_add(Duration::from_millis(rng.below(100)));
    let starting = world.all(|life| life == Life::Starting);
    let stopping = world.all(|life| matches!(life, Life::Stopping { .. }));
    let running = world.all(|life| life == Life::Running);
    match rng.below(20) {
        0..6 if !starting.is_empty() => {
            let fails = rng.below(5) == 0;
            world.answer_start(rng.pick(&starting), fails, rng);
        }
        6..11 if !stopping.is_empty() => world.answer_stop(rng.pick(&stopping), rng),
        11..15 if !running.is_empty() => world.exit(rng.pick(&running), rng),
        15..17 if !running.is_empty() => world.suspend(rng.pick(&running), rng),
        17 => world.elapse(rng),
        18 => {
            let verdict = rng.pick(&[Verdict::Resume, Verdict::Resume, Verdict::End]);
            world.answer_parent(verdict, rng);
        }
        19 => world.random_request(rng),
        _ => {}
    }
}

fn live(seed: u64) -> (World, Rng) {
    let mut rng = Rng::seeded(seed);
    let mut world = World::of(&any_spec(&mut rng));
    world.group = world.group.with_parent(rng.below(2) == 0);
    world.feed(Input::Start, rng.bits());
    for _ in 0..rng.below(150) {
        step(&mut world, &mut rng);
    }
    (world, rng)
}

#[derive(Default)]
struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    fn add(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    fn add_commands(&mut self, world: &World) {
        for command in &world.commands {
            self.add(match command {
                Command::Start {
                    placement: None, ..
                } => "start",
                Command::Start { .. } => "start elsewhere",
                Command::Stop { .. } => "stop",
                Command::Resume { .. } => "resume",
                Command::Delay { .. } => "delay",
                Command::Escalate { .. } => "escalate",
                Command::Decided { .. } => "decided",
                Command::Ready => "ready",
                Command::Reply { answer: Ok(()), .. } => "granted",
                Command::Reply { .. } => "refused",
                Command::Done { reason } => match reason {
                    EndReason::Shutdown => "shut down",
                    EndReason::AutoShutdown { .. } => "auto-shutdown",
                    EndReason::Exhausted { .. } => "exhausted",
                    EndReason::Escalated { .. } => "escalated",
                    EndReason::StartFailed { .. } => "start failed",
                },
            });
        }
    }

    fn assert_each_at_least(&self, minimum: u64, expected: usize) {
        assert_eq!(self.0.len(), expected, "{:?}", self.0);
        assert!(
            self.0.values().all(|count| *count >= minimum),
            "{:?}",
            self.0
        );
    }
}

#[test]
fn whatever_happens_the_rules_hold_and_a_shutdown_ends_it_within_the_sum_of_the_timeouts() {
    let cases = cases(6_000);
    let mut counts = Counts::default();
    for seed in 0..cases {
        // The rules are those of `World`, checked at every command.
        let (mut world, mut rng) = live(seed);
        if world.done.is_none() {
            let budget: u64 = world.lives.len() as u64 * 10;
            let taken = world.shut_down(&mut rng);
            assert!(taken <= Duration::from_secs(budget), "{taken:?}");
        }
        counts.add_commands(&world);
    }
    counts.assert_each_at_least(cases / 60, 15);
}

#[test]
fn no_permanent_child_is_lost() {
    let cases = cases(6_000);
    let (mut checked, mut ended) = (0, 0);
    for seed in 0..cases {
        let (mut world, mut rng) = live(seed);
        world.settle(&mut rng);
        if world.done.is_some() {
            ended += 1;
            continue;
        }
        for (child, restart_type) in &world.types {
            let purpose = world.ended_on_purpose.contains(child);
            if *restart_type == RestartType::Permanent && !purpose {
                // What could not be added is not there.
                let status = world.status(child).unwrap_or(ChildStatus::Running);
                assert_eq!(status, ChildStatus::Running, "{child}, seed {seed}");
                checked += 1;
            }
        }
    }
    assert!(
        checked > cases / 3 && ended > cases / 10,
        "{checked} {ended}"
    );
}

#[test]
fn every_failure_of_an_independent_child_is_decided_exactly_once() {
    let cases = cases(3_000);
    let (mut failures, mut worlds) = (0, 0);
    for seed in 0..cases {
        let mut rng = Rng::seeded(seed);
        let mut spec = GroupSpec::new(
            GroupStrategy::OneForOne,
            restart(usize::MAX, Duration::ZERO),
        );
        for number in 0..1 + rng.below(6) {
            spec = spec.with_child(ChildSpec::new(format!("child {number}")));
        }
        let mut world = World::of(&spec);
        world.feed(Input::Start, 0);
        world.settle(&mut rng);
        for _ in 0..60 {
            let (starting, running) = (
                world.all(|life| life == Life::Starting),
                world.all(|life| life == Life::Running),
            );
            match rng.below(2) {
                0 if !starting.is_empty() => {
                    let fails = rng.below(3) == 0;
                    world.answer_start(rng.pick(&starting), fails, &mut rng);
                }
                1 if !running.is_empty() => world.exit(rng.pick(&running), &mut rng),
                _ => {}
            }
            assert_eq!(world.failures, world.decided, "at once, and no other");
        }
        failures += world.failures.len();
        worlds += 1;
    }
    assert!(failures > 10 * worlds, "{failures} in {worlds}");
}

#[test]
fn a_group_is_charged_once_for_a_failure_however_many_restart_along() {
    let mut exhausted = 0;
    for seed in 0..cases(2_000) {
        let mut rng = Rng::seeded(seed);
        let allowed = rng.below(6);
        let strategy = restart(allowed as usize, Duration::ZERO);
        let spec = GroupSpec::new(rng.pick(&GROUPS), strategy);
        let spec = (0..2 + rng.below(5)).fold(spec, |spec, number| {
            spec.with_child(ChildSpec::new(format!("child {number}")))
        });
        let mut world = World::of(&spec);
        world.feed(Input::Start, 0);
        world.settle(&mut rng);
        for failure in 0..=allowed {
            assert_eq!(world.done, None, "{failure} of {allowed}");
            let running = world.all(|life| life == Life::Running);
            assert_eq!(running.len(), spec.children.len());
            let (victim, as_suspended) = (rng.pick(&running), rng.below(2) == 0);
            if as_suspended {
                world.suspend(victim, &mut rng);
            } else {
                world.fail(victim, &mut rng);
            }
            world.settle(&mut rng);
        }
        assert!(
            matches!(world.done, Some(EndReason::Exhausted { .. })),
            "{:?}",
            world.done
        );
        exhausted += 1;
    }
    assert_eq!(exhausted, cases(2_000));
}

#[test]
fn what_is_out_of_date_changes_nothing() {
    let mut repeated = 0;
    for seed in 0..cases(300) {
        let (mut world, mut rng) = live(seed);
        world.settle(&mut rng);
        let before = format!("{:?}", world.group);
        for (input, _, _) in world.inputs.clone() {
            let about_the_past = match &input {
                Input::Start | Input::Elapsed(_) | Input::Answered(..) => true,
                Input::Started(life) | Input::Stopped(life) => {
                    !world.lives.contains_key(life) || matches!(input, Input::Started(_))
                }
                Input::StartFailed(life, _)
                | Input::Exited(life, _)
                | Input::Suspended(life, _) => !world.lives.contains_key(life),
                Input::ShutDown | Input::Request(..) => false,
            };
            if about_the_past {
                world.group.handle(input, world.now, rng.bits());
                assert_eq!(world.group.poll_command(), None);
                repeated += 1;
            }
        }
        assert_eq!(format!("{:?}", world.group), before);
    }
    assert!(repeated > cases(300) * 5, "{repeated}");
}

#[test]
fn the_same_inputs_give_the_same_commands() {
    let mut replayed = 0;
    for seed in 0..cases(500) {
        let mut rng = Rng::seeded(seed);
        let mut group = Group::new(any_spec(&mut rng))
            .expect("valid")
            .with_parent(rng.below(2) == 0);
        let (world, _) = live(seed);
        let mut commands = Vec::new();
        for (input, now, entropy) in &world.inputs {
            group.handle(input.clone(), *now, *entropy);
            commands.extend(std::iter::from_fn(|| group.poll_command()));
        }
        assert_eq!(commands, world.commands);
        replayed += commands.len() as u64;
    }
    assert!(replayed > cases(500) * 10, "{replayed}");
}

#[test]
fn a_hundred_thousand_children_start_restart_and_stop_without_being_searched() {
    const CHILDREN: u64 = 100_000;
    let mut spec = GroupSpec::new(
        GroupStrategy::OneForOne,
        restart(usize::MAX, Duration::ZERO),
    );
    for number in 0..CHILDREN {
        spec = spec.with_child(ChildSpec::new(format!("child {number}")));
    }
    let mut group = Group::new(spec).expect("valid");
    let mut running = Vec::new();
    let mut pending = vec![Input::Start];
    let (mut restarts, mut stops, mut now) = (0, 0, 0);
    let mut asked = false;
    while let Some(input) = pending.pop() {
        now += 1;
        group.handle(input, Timestamp::from_nanos(now), now);
        while let Some(command) = group.poll_command() {
            match command {
                Command::Start { incarnation, .. } => {
                    running.push(incarnation);
                    pending.push(Input::Started(incarnation));
                }
                Command::Decided {
                    decision: Decision::Restart { .. },
                    ..
                } => restarts += 1,
                Command::Stop { incarnation, .. } => {
                    stops += 1;
                    pending.push(Input::Stopped(incarnation));
                }
                Command::Done { reason } => assert_eq!(reason, EndReason::Shutdown),
                _ => {}
            }
        }
        if pending.is_empty() && restarts < CHILDREN {
            let cause = Cause::panic("again");
            let life = running.swap_remove((now * 7_919 % running.len() as u64) as usize);
            let exit = Exit::Failed(cause);
            pending.push(Input::Exited(life, exit));
        } else if pending.is_empty() && !asked {
            asked = true;
            pending.push(Input::ShutDown);
        }
    }
    assert!(group.has_ended());
    assert_eq!((restarts, stops), (CHILDREN, CHILDREN));
}
