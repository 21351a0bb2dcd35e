//! Programs of Debian's that a suite needs beside Rust.

use std::process::{Command, Stdio};

use crate::figures::complain;

/// Whether a program is there: `check` runs it, and `package` is installed if it does not.
pub(crate) fn ensure(package: &str, check: &[&str]) -> bool {
    if succeeds(check) {
        return true;
    }
    complain(&format!("{} is not here: installing {package}", check[0]));
    let update = ["apt-get", "update"];
    let install = [
        "apt-get",
        "install",
        "-y",
        "--no-install-recommends",
        package,
    ];
    succeeds(&update) && succeeds(&install) && succeeds(check)
}

/// Whether a command can be run, and succeeds.
pub(crate) fn succeeds(command: &[&str]) -> bool {
    let status = Command::new(command[0])
        .args(&command[1..])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Whether there is an Erlang with its compiler, after trying to install it.
pub(crate) fn ensure_erlang() -> bool {
    // A runtime alone could not compile a module.
    let load = "{module, _} = code:load_file(compile), halt(0).";
    ensure("erlang-base", &["erl", "-noshell", "-eval", load])
}
