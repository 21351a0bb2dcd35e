//! Builds and runs the demo.

use crate::{
    figures::{Failed, Figures},
    workspace::{cargo, code_of},
};

/// What is handed on to the demo.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// A file to ingest, and the demo's options; `--help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// The demo prints its own last line, so there are no figures of ours.
pub(crate) fn run(Args { args }: Args) -> Result<Option<Figures>, Failed> {
    // The dev profile: an optimized build takes longer than the whole run without it.
    let status = cargo()?
        .args(["run", "--package", "examples", "--bin", "ingest", "--"])
        .args(args)
        .current_dir(std::env::current_dir()?)
        .status()?;
    if status.success() {
        Ok(None)
    } else {
        Err(Failed::because("the demo failed").with_exit(code_of(status)))
    }
}
