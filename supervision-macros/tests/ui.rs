//! What compiles, and what the compiler says where it does not.

use std::process::Command;

/// Messages are the compiler's too, and change with it: they are compared under this one only.
const PINNED: &str = "rustc 1.95.";

#[test]
fn what_the_grammar_allows_compiles_and_runs() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn what_it_does_not_allow_is_refused_with_what_would_be_right() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked = Command::new(rustc).arg("--version").output();
    let version = asked.expect("the compiler tells its version").stdout;
    let version = String::from_utf8_lossy(&version);
    if !version.starts_with(PINNED) {
        eprintln!(
            "skipped: the messages are those of {PINNED}x, this is {}",
            version.trim()
        );
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}
