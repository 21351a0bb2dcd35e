//! Our groups against Erlang/OTP's supervisor, on the same random schedules.
//!
//! Both run every schedule and note what is started, stopped and answered, in which order, and who
//! gives up. Any difference fails, but for those in [`difference`], which are on purpose.

mod difference;
mod erlang;
mod ours;
mod schedule;

use std::collections::BTreeMap;

use supervision_core::group::GroupStrategy;

use self::{difference::Difference, erlang::Erlang, schedule::Schedule};
use crate::figures::{Failed, Figures, complain};

/// Schedules that are always enough to reach every minimum below.
const ENOUGH: u64 = 300;
/// Differences that are printed in full.
const SHOWN: usize = 5;

/// Which schedules.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The seed; the same one gives the same schedules
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many
    #[arg(long, default_value_t = 500)]
    schedules: u64,
    /// Run only the schedule with this number, and print both traces
    #[arg(long)]
    index: Option<u64>,
}

pub(crate) fn run(args: Args) -> Result<Figures, Failed> {
    let mut figures = Figures::of("otp");
    figures.note("seed", args.seed);
    let Some(erlang) = Erlang::find_or_install()? else {
        complain(
            &"SKIPPED: there is no Erlang and it could not be installed; nothing was compared",
        );
        figures.note("skipped", true);
        if std::env::var_os("CI").is_some() {
            figures.fall_short("Erlang is missing, and in CI it must not be");
        }
        return Ok(figures);
    };
    let numbers = match args.index {
        Some(index) => index..index + 1,
        None => 0..args.schedules,
    };
    let schedules: Vec<_> = numbers
        .map(|index| Schedule::generate(args.seed, index))
        .collect();
    let theirs = erlang.traces(&schedules)?;
    let mut sums = Sums::default();
    let mut different = 0;
    for (schedule, theirs) in schedules.iter().zip(&theirs) {
        let ours = ours::trace(schedule)?;
        sums.add(schedule, theirs);
        if args.index.is_some() {
            println!("{schedule}\nOTP:  {theirs}\nours: {}", ours.as_str());
        }
        match difference::between(schedule, theirs, ours.as_str()) {
            Difference::None => {}
            Difference::OnPurpose(why) => *sums.on_purpose.entry(why).or_default() += 1,
            Difference::Wrong => {
                different += 1;
                if different <= SHOWN {
                    show(args.seed, schedule, theirs, ours.as_str());
                }
            }
        }
    }
    if different > 0 {
        figures.fall_short(format!("{different} schedules run differently"));
    }
    figures.note("different", different);
    sums.tell(
        &mut figures,
        args.index.is_none() && args.schedules >= ENOUGH,
    );
    Ok(figures)
}

fn show(seed: u64, schedule: &Schedule, theirs: &str, ours: &str) {
    complain(&format_args!(
        "different; again with: cargo xtask otp --seed {seed} --index {}\n  {schedule}\n  OTP:  {theirs}\n  ours: {ours}",
        schedule.index
    ));
}

/// What OTP did, to be sure that something was compared.
#[derive(Default)]
struct Sums {
    by_group: BTreeMap<&'static str, u64>,
    tokens: BTreeMap<&'static str, u64>,
    bursts: u64,
    on_purpose: BTreeMap<&'static str, u64>,
}

/// The figures, how often each must occur in 500 schedules at least, and what counts for it.
const MINIMUMS: [(&str, u64, &str); 9] = [
    ("starts", 2_000, "+"),
    ("stops", 1_000, "-"),
    ("failed_starts", 100, "!"),
    ("exits", 500, "x"),
    ("requests", 200, "="),
    ("gave_up", 100, "G:"),
    ("ended_by_themselves", 130, "D:by_itself"),
    ("not_started", 10, "D:start_failed"),
    ("shut_down", 100, "D:asked"),
];

impl Sums {
    fn add(&mut self, schedule: &Schedule, trace: &str) {
        let group = match schedule.group {
            GroupStrategy::OneForOne => "one_for_one",
            GroupStrategy::OneForAll => "one_for_all",
            GroupStrategy::RestForOne => "rest_for_one",
        };
        *self.by_group.entry(group).or_default() += 1;
        self.bursts += schedule.steps.iter().filter(|step| step.len() > 1).count() as u64;
        for (name, _, start) in MINIMUMS {
            let count = trace
                .split(' ')
                .filter(|token| token.starts_with(start))
                .count();
            *self.tokens.entry(name).or_default() += count as u64;
        }
    }

    fn tell(self, figures: &mut Figures, enough: bool) {
        let least = |minimum: u64| if enough { minimum * ENOUGH / 500 } else { 0 };
        let total = self.by_group.values().sum();
        figures.require_at_least("schedules", total, 1);
        for group in ["one_for_one", "one_for_all", "rest_for_one"] {
            let count = self.by_group.get(group).copied().unwrap_or(0);
            figures.require_at_least(group, count, least(100));
        }
        for (name, minimum, _) in MINIMUMS {
            let count = self.tokens.get(name).copied().unwrap_or(0);
            figures.require_at_least(name, count, least(minimum));
        }
        figures.require_at_least("bursts", self.bursts, least(200));
        let on_purpose: u64 = self.on_purpose.values().sum();
        for (why, count) in self.on_purpose {
            figures.note(why, count);
        }
        if on_purpose * 20 > total {
            figures.fall_short("more than one schedule in 20 was excused");
        }
    }
}
