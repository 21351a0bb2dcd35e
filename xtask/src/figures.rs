//! What a suite reports: named figures, whether it fell short, and its one line of JSON.

use std::{
    fmt,
    io::Write,
    process::ExitCode,
    time::{Duration, Instant},
};

use serde_json::{Map, Value};

/// A suite's result. Its `Display` is the suite's last line.
#[must_use = "figures are printed as the last line"]
pub(crate) struct Figures {
    suite: &'static str,
    begun: Instant,
    figures: Map<String, Value>,
    shortfalls: Vec<String>,
}

impl Figures {
    /// No figures yet; the clock starts.
    pub(crate) fn of(suite: &'static str) -> Self {
        Self {
            suite,
            begun: Instant::now(),
            figures: Map::new(),
            shortfalls: Vec::new(),
        }
    }

    /// Notes a figure.
    pub(crate) fn note(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }

    /// Notes that the suite fell short, and says so at once.
    pub(crate) fn fall_short(&mut self, why: impl Into<String>) {
        let why = why.into();
        complain(&why);
        self.shortfalls.push(why);
    }

    /// Notes a figure that must reach a minimum: a run that did nothing must not pass.
    pub(crate) fn require_at_least(&mut self, name: &str, value: u64, minimum: u64) {
        self.note(name, value);
        if value < minimum {
            self.fall_short(format!(
                "{name} is {value}, at least {minimum} was expected"
            ));
        }
    }

    /// Whether nothing fell short.
    pub(crate) fn is_ok(&self) -> bool {
        self.shortfalls.is_empty()
    }

    /// Zero if nothing fell short.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Map::new();
        line.insert("suite".to_owned(), self.suite.into());
        line.insert("ok".to_owned(), self.is_ok().into());
        line.extend(self.figures.clone());
        if !self.is_ok() {
            line.insert("shortfalls".to_owned(), self.shortfalls.clone().into());
        }
        line.insert("seconds".to_owned(), seconds(self.begun.elapsed()).into());
        write!(f, "{}", Value::Object(line))
    }
}

/// Seconds with a tenth, which is as exact as such a time can be repeated.
pub(crate) fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

/// Tells the person at the terminal what went wrong.
pub(crate) fn complain(problem: &dyn fmt::Display) {
    // A terminal that is gone cannot be told.
    let _ = writeln!(std::io::stderr(), "xtask: {problem}");
}

/// A command could not be carried out; what it had begun may be half done.
#[derive(Debug)]
pub(crate) struct Failed {
    problem: String,
    exit: u8,
}

impl Failed {
    /// With a reason.
    pub(crate) fn because(problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            exit: 1,
        }
    }

    /// With the exit code of the program that failed.
    pub(crate) fn with_exit(self, exit: u8) -> Self {
        Self { exit, ..self }
    }

    /// What the process ends with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::because(error.to_string())
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self::because(format!("unexpected JSON: {error}"))
    }
}
