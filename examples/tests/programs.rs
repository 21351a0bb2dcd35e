//! Runs the example programs as a newcomer would, and looks at what they say.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

fn run(program: &str, args: &[&str]) -> Output {
    let output = Command::new(program).args(args).output();
    output.expect("the program was built with its test")
}

fn ingest(args: &[&str]) -> Output {
    run(env!("CARGO_BIN_EXE_ingest"), args)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The last line of a run with `--json`.
fn figures(output: &Output) -> Value {
    let text = stdout(output);
    let last = text.lines().last().expect("a last line");
    serde_json::from_str(last).expect("a line of JSON")
}

/// A directory of this test's own.
fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).expect("a directory");
    directory
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// An order as the sample holds them.
fn order(id: u64, qty: u32) -> String {
    format!(r#"{{"id":{id},"shop":"Oslo","sku":"LMP-042","qty":{qty},"cents":500}}"#)
}

#[test]
fn every_scene_of_supervised_actor_holds_its_claim() {
    let output = run(env!("CARGO_BIN_EXE_supervised_actor"), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).ends_with("All twelve scenes went as they said.\n"));
    assert_eq!(stderr(&output), "", "provoked panics stay off the terminal");
}

#[test]
fn counters_that_move_lose_nothing_and_count_nothing_twice() {
    let output = run(env!("CARGO_BIN_EXE_relocation"), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("/counter/2 fails (disk full)"), "{text}");
    assert!(text.contains("/counter/2 is up again after east"), "{text}");
    assert!(text.contains("it gave 2 counters away, 0 are left") || text.contains("it gave 3"));
    assert!(text.ends_with("All sums are equal.\n"), "{text}");
}

#[test]
fn the_supervision_tree_holds_its_claims() {
    let output = run(env!("CARGO_BIN_EXE_supervision_tree"), &[]);
    let told = stdout(&output);
    assert!(output.status.success(), "{told}\n{}", stderr(&output));
    assert!(told.ends_with("The server went as it said.\n"), "{told}");
    let line = "└─ front  rest for one, running, 1 of 3 restarts left in 1m";
    assert!(told.contains(line), "{told}");
    assert_eq!(stderr(&output), "", "provoked panics stay off the terminal");
}

#[test]
#[cfg(unix)] // its child processes are shell scripts
fn core_only_supervises_tasks_and_processes_without_actors() {
    let output = run(env!("CARGO_BIN_EXE_core_only"), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let told = stdout(&output);
    for name in ["poller", "importer", "broken", "server", "stuck"] {
        assert!(told.contains(&format!("{name}: restarts")), "{told}");
    }
}

#[test]
fn the_sample_is_accounted_for_to_the_line() {
    let output = ingest(&["--json"]);
    assert!(output.status.success(), "{}", stdout(&output));
    assert_eq!(stderr(&output), "", "provoked panics stay off the terminal");
    let figures = figures(&output);
    assert_eq!(figures["ok"], true);
    assert_eq!(figures["lines_in"], 50_000);
    let of = |name: &str| figures[name].as_u64().expect("a number");
    assert_eq!(of("lines_stored") + of("lines_refused"), 50_000);
    assert!(of("restarts") >= 40, "{figures}");
    assert!(of("lines_refused") >= 500, "{figures}");
    let reasons = figures["refused"].as_object().expect("reasons");
    assert_eq!(reasons.len(), 9, "every kind of damage occurs: {figures}");
    let poison = figures["quarantined"]
        .as_object()
        .expect("lines with reasons");
    assert_eq!(
        Some(poison.len() as u64),
        figures["refused"]["poison"].as_u64()
    );
    assert!(
        poison
            .values()
            .any(|panic| panic == "attempt to divide by zero")
    );
}

#[test]
fn what_is_stored_depends_on_the_input_alone() {
    let stored = |seed: &str, faults: &str| {
        let output = ingest(&["--json", "--seed", seed, "--faults", faults]);
        let figures = figures(&output);
        assert_eq!(figures["ok"], true, "{figures}");
        let restarts = figures["restarts"].as_u64().expect("a number");
        let money = (
            figures["lines_stored"].clone(),
            figures["cents_stored"].clone(),
        );
        (money, figures["refused"].clone(), restarts)
    };
    let (money, refused, restarts) = stored("1", "0");
    let (money_in_trouble, refused_in_trouble, restarts_in_trouble) = stored("5", "15");
    assert_eq!((money, refused), (money_in_trouble, refused_in_trouble));
    assert!(restarts_in_trouble > restarts + 15);
}

#[test]
fn the_tables_say_what_became_of_a_small_file() {
    let directory = directory("small");
    let (input, stored) = (directory.join("in.ndjson"), directory.join("out.ndjson"));
    // Without an end of line at the end: it is a line all the same.
    let lines = [
        order(1, 2),
        order(2, 0),
        String::new(),
        order(1, 1),
        order(3, 1),
    ];
    fs::write(&input, lines.join("\n")).expect("a file");
    let output = ingest(&[text(&input), "--output", text(&stored), "--faults", "0"]);
    assert!(output.status.success(), "{}", stdout(&output));
    let tables = stdout(&output);
    for part in [
        "5 lines in = 2 stored + 3 refused",
        "attempt to divide by zero",
        "poison in line",
        "empty line",
        "id stored before",
        "3 restarts",
    ] {
        assert!(tables.contains(part), "{part} is missing in\n{tables}");
    }
    let stored = fs::read_to_string(&stored).expect("the output");
    assert_eq!(stored.lines().count(), 2);
}

#[test]
fn an_empty_file_is_no_trouble() {
    let input = directory("empty").join("in.ndjson");
    fs::write(&input, "").expect("a file");
    let output = ingest(&[text(&input), "--json"]);
    assert!(output.status.success());
    assert_eq!(figures(&output)["lines_in"], 0);
}

#[test]
fn a_disk_that_never_works_is_a_failure_that_says_so() {
    let output = ingest(&["--faults", "1", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let figures = figures(&output);
    assert_eq!(figures["ok"], false);
    let problems = figures["problems"].to_string();
    assert!(
        problems.contains("/ingest/writer gave up: escalated"),
        "{problems}"
    );
}

#[test]
fn a_wrong_command_line_is_exit_code_2_with_a_reason() {
    let directory = directory("wrong");
    let input = directory.join("in.ndjson");
    fs::write(&input, order(1, 1)).expect("a file");
    let nowhere = directory.join("no").join("out.ndjson");
    let wrong: [(&[&str], &str); 6] = [
        (&["no-such-file.ndjson"], "cannot read no-such-file.ndjson"),
        (&[text(&directory)], "not a regular file"),
        (
            &[text(&input), "--output", text(&input)],
            "the output is the input",
        ),
        (&[text(&input), "--output", text(&nowhere)], "cannot write"),
        (&["--parsers", "0"], "--parsers"),
        (&["--seed", "soon"], "--seed"),
    ];
    for (args, reason) in wrong {
        let output = ingest(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let told = stderr(&output);
        assert!(told.contains(reason) && told.contains("--help"), "{told}");
    }
    let input = fs::read_to_string(&input).expect("the input");
    assert_eq!(input, order(1, 1), "a refused run changes nothing");
}

#[test]
fn help_explains_the_job_and_its_options() {
    let output = ingest(&["--help"]);
    assert!(output.status.success());
    let help = stdout(&output);
    for part in ["--seed", "--output", "--json", "--faults", "Exit codes"] {
        assert!(help.contains(part), "{part} is missing in\n{help}");
    }
}
