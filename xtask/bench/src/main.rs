//! One measurement: `supervision-bench CASE PEER PLACE OPS` prints one line of JSON and exits.
//!
//! A process does one case with one peer, so that no case warms up or fragments the memory of
//! another. Every case asserts what it claims to have measured. `cargo xtask bench` drives this.

mod memory;
mod peer;
mod probe;
mod remote;

mod cases;
mod peers;

#[cfg(feature = "plot")]
mod plot;

use std::process::ExitCode;

use crate::{
    cases::{CASES, Case},
    peer::{Outcome, Place},
};

const USAGE: &str = "usage: supervision-bench list | CASE PEER same|other OPS | plot RESULTS SVG";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["list"] => CASES
            .iter()
            .for_each(|case| println!("{}", case.described())),
        ["peers"] => peers::NAMES.iter().for_each(|name| println!("{name}")),
        #[cfg(feature = "plot")]
        ["plot", results, svg] => {
            if let Err(problem) = plot::draw(results, svg) {
                eprintln!("cannot draw {svg}: {problem}");
                return ExitCode::FAILURE;
            }
        }
        [case, peer, place, ops] => return measured(case, peer, place, ops),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn measured(case: &str, peer: &str, place: &str, ops: &str) -> ExitCode {
    let found = CASES.iter().find(|c| c.name == case);
    let (Some(Case { job, .. }), Some(place), Ok(ops)) = (found, Place::parse(place), ops.parse())
    else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    // The panics are the point of some cases; printing them would be most of their time.
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = std::panic::catch_unwind(|| peers::run(peer, *job, place, ops));
    match outcome {
        Ok(Some(Outcome::Figures(figures))) => {
            let figures = figures
                .iter()
                .map(|(name, value)| format!("\"{name}\":{value:.3}"));
            println!("{{{}}}", figures.collect::<Vec<_>>().join(","));
            // What is alive need not be taken apart, actor by actor.
            std::process::exit(0)
        }
        Ok(Some(Outcome::Cannot(reason))) => println!("{{\"cannot\":{reason:?}}}"),
        Ok(None) => {
            eprintln!("there is no peer {peer}");
            return ExitCode::from(2);
        }
        Err(payload) => {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
            eprintln!("{case} {peer}: {}", text.unwrap_or("panicked"));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
