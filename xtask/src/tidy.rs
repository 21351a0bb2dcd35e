//! Rules that the compiler does not check; each says what is wrong and where.

mod dependencies;
mod sources;

use crate::{
    figures::{Failed, Figures},
    sample,
    workspace::{self, Metadata},
};

/// With fewer files than this the search went wrong.
const AT_LEAST: u64 = 50;

/// Nothing to choose.
#[derive(clap::Args, Default)]
pub(crate) struct Args {}

pub(crate) fn run(Args {}: Args) -> Result<Figures, Failed> {
    let mut figures = Figures::of("tidy");
    let root = workspace::root()?;
    let files = sources::find(&root)?;
    figures.require_at_least("files", files.len() as u64, AT_LEAST);
    for file in &files {
        for problem in sources::problems(file) {
            figures.fall_short(format!("{}: {problem}", file.path));
        }
    }
    let metadata = Metadata::load()?;
    figures.note("packages", metadata.packages().count());
    for problem in dependencies::too_new(&metadata) {
        figures.fall_short(problem);
    }
    if std::fs::read(root.join(sample::PATH))? != sample::expected() {
        figures.fall_short(format!(
            "{}: not what the generator makes; run `cargo xtask sample`",
            sample::PATH
        ));
    }
    Ok(figures)
}
