//! Where the workspace is, and running programs in it.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use serde_json::Value;

use crate::figures::Failed;

/// The workspace's root directory.
pub(crate) fn root() -> Result<PathBuf, Failed> {
    // The directory above this crate's: baked in at build time, so it works from anywhere.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .map(Path::to_owned)
        .ok_or_else(|| Failed::because("xtask has no directory above it"))
}

/// The cargo that runs this program, in the workspace's root.
pub(crate) fn cargo() -> Result<Command, Failed> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()?);
    Ok(command)
}

/// The exit code of a program that ended; 1 if a signal ended it.
pub(crate) fn code_of(status: ExitStatus) -> u8 {
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1)
}

/// What `cargo metadata` says about the workspace and all it depends on.
pub(crate) struct Metadata(Value);

impl Metadata {
    /// Asks cargo. Fails if `Cargo.lock` is not up to date.
    pub(crate) fn load() -> Result<Self, Failed> {
        let output = cargo()?
            .args([
                "metadata",
                "--format-version",
                "1",
                "--locked",
                "--all-features",
            ])
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(Failed::because(
                "cargo metadata failed; is Cargo.lock up to date?",
            ));
        }
        Ok(Self(serde_json::from_slice(&output.stdout)?))
    }

    /// The names of the workspace's own libraries, those meant to be published.
    pub(crate) fn libraries(&self) -> Vec<String> {
        let published =
            |package: &&Value| package["source"].is_null() && package["publish"].is_null();
        let names = self
            .packages()
            .filter(published)
            .filter_map(|p| p["name"].as_str());
        names.map(str::to_owned).collect()
    }

    /// All packages, the workspace's own included.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Value> {
        self.0["packages"].as_array().into_iter().flatten()
    }
}
