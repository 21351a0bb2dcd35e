//! One measurement: `supervision-bench CASE VARIANT` prints one number and exits.
//!
//! A process does one case with one variant, so that no case warms up or fragments the memory of
//! another. Every case asserts what it claims to have measured.

mod actors;
mod cases;
mod memory;

use std::{process::ExitCode, time::Duration};

use crate::{actors::Variant, cases::CASES};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (case, variant) = (args.next().unwrap_or_default(), args.next().unwrap_or_default());
    if case == "list" {
        for case in CASES {
            println!("{} {}", case.name, case.unit);
        }
        return ExitCode::SUCCESS;
    }
    let found = CASES.iter().find(|c| c.name == case);
    let (Some(case), Some(variant)) = (found, Variant::parse(&variant)) else {
        eprintln!("usage: supervision-bench list | CASE bare|lean|supervisor");
        return ExitCode::from(2);
    };
    // The panics are the point of some cases; printing them would be most of their time.
    std::panic::set_hook(Box::new(|_| {}));
    match (case.run)(variant) {
        Some(value) => {
            println!("{value:.3}");
            ExitCode::SUCCESS
        }
        None => {
            println!("n/a");
            ExitCode::SUCCESS
        }
    }
}

/// Nanoseconds per operation.
fn per_op(elapsed: Duration, ops: u64) -> f64 {
    elapsed.as_nanos() as f64 / ops as f64
}
