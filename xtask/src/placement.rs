//! Placement at scale, on paper: many nodes and many actors, no network. Balance, what moves when a
//! node is lost or comes, what survivors claim, what the rebalancer proposes, and what it all costs.

mod cost;
mod moves;
mod world;

use crate::{
    figures::{Failed, Figures},
    workspace::{cargo, code_of},
};

use self::world::World;

/// How many, and of what.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Nodes of the cluster
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=20_000))]
    nodes: u32,
    /// Actors in it
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    actors: u32,
    /// The seed of the names; the same one gives the same figures, but for the times
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// `None` where another process, built to be fast, has printed the last line.
pub(crate) fn run(args: Args) -> Result<Option<Figures>, Failed> {
    if cfg!(debug_assertions) {
        return run_optimized(&args).map(|()| None);
    }
    let mut figures = Figures::of("placement");
    figures.note("seed", args.seed);
    let world = World::new(args.nodes as usize, args.actors as usize, args.seed);
    moves::balance_and_loss(&world, &mut figures);
    moves::join(&world, &mut figures);
    moves::weights(&world, &mut figures);
    moves::rebalancing(&world, &mut figures);
    cost::of_each_strategy(&world, &mut figures);
    Ok(Some(figures))
}

fn run_optimized(args: &Args) -> Result<(), Failed> {
    let status = cargo()?
        .args([
            "run",
            "--release",
            "--locked",
            "--quiet",
            "--package",
            "xtask",
        ])
        .args(["--", "placement"])
        .args(["--nodes", &args.nodes.to_string()])
        .args(["--actors", &args.actors.to_string()])
        .args(["--seed", &args.seed.to_string()])
        .status()?;
    if status.success() {
        return Ok(());
    }
    Err(Failed::because("placement fell short").with_exit(code_of(status)))
}
