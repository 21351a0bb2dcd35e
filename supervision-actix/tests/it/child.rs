//! Runs a test in a process of its own: one that may hang a thread, abort, or measures memory.

use std::{
    env,
    io::Read,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const VARIABLE: &str = "SUPERVISION_CHILD";

/// Runs `body` in a child process; `name` is the full name of the calling test. A child that fails,
/// aborts or is not done within `limit` fails the test.
pub(crate) fn alone(name: &str, limit: Duration, body: impl FnOnce()) {
    if env::var_os(VARIABLE).is_some_and(|child| child == name) {
        return body();
    }
    let mut child = Command::new(env::current_exe().expect("this program has a path"))
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(VARIABLE, name)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child process");
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            break Some(status);
        }
        if Instant::now() > deadline {
            child.kill().expect("the child can be killed");
            child.wait().expect("the child can be waited for");
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let mut said = String::new();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    out.read_to_string(&mut said).expect("text");
    err.read_to_string(&mut said).expect("text");
    let Some(status) = status else {
        panic!("the thread is blocked: not done within {limit:?}\n{said}");
    };
    assert!(status.success(), "{status}\n{said}");
    assert!(
        said.contains("1 passed"),
        "no test called {name} ran\n{said}"
    );
    println!("{said}");
}
