//! Rules about files: how they begin, how long they are, what they are called, what they must not
//! say.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Longest source file, in lines.
const MAX_LINES: usize = 500;
/// Longest file of tests.
const MAX_TEST_LINES: usize = 800;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &[
    "mod", "utils", "util", "helpers", "helper", "common", "misc",
];
/// Kinds of file that people write and read.
const KINDS: &[&str] = &["rs", "toml", "md", "sh", "yml", "yaml"];

/// What marks unfinished work. In parts, or this file would be the first to break the rule.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
];

/// Directories of somebody's machine; a file that names them works for nobody else.
const MACHINE_PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Use", "rs/"),
];

/// A file of the repository that is text.
pub(super) struct Source {
    /// From the root, with `/` on every system.
    pub(super) path: String,
    text: String,
}

/// All files of the kinds that have rules.
pub(super) fn find(root: &Path) -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                let foreign = name == "target" || name == ".git";
                if !foreign {
                    directories.push(path);
                }
            } else if has_rules(&path) {
                found.push(read(root, &path)?);
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn has_rules(path: &Path) -> bool {
    let in_ci = path
        .parent()
        .and_then(Path::file_name)
        .is_some_and(|parent| parent == ".ci");
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    in_ci || KINDS.contains(&&*extension)
}

fn read(root: &Path, path: &Path) -> io::Result<Source> {
    let parts: PathBuf = path.strip_prefix(root).unwrap_or(path).to_owned();
    let parts: Vec<_> = parts
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    let text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
    Ok(Source {
        path: parts.join("/"),
        text,
    })
}

/// Everything that is wrong with a file.
pub(super) fn problems(file: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    if file.path.ends_with(".rs") {
        if !file.text.starts_with("//! ") {
            problems.push("does not open with a `//!` line".to_owned());
        }
        let (lines, longest) = (file.text.lines().count(), longest(&file.path));
        if lines > longest {
            problems.push(format!("{lines} lines, more than {longest}"));
        }
        let stem = Path::new(&file.path).file_stem().unwrap_or_default();
        if EMPTY_NAMES.contains(&&*stem.to_string_lossy()) {
            problems.push("a name that says nothing; name it after its role".to_owned());
        }
    }
    for (number, line) in file.text.lines().enumerate() {
        let words = UNFINISHED.iter().chain(MACHINE_PATHS);
        for word in words.filter(|word| line.contains(**word)) {
            problems.push(format!("line {}: says {word}", number + 1));
        }
    }
    problems
}

fn longest(path: &str) -> usize {
    if path.contains("/tests/") {
        MAX_TEST_LINES
    } else {
        MAX_LINES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(path: &str, text: &str) -> Vec<String> {
        problems(&Source {
            path: path.to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn a_tidy_file_has_no_problems() {
        assert!(problems_of("a/src/pump.rs", "//! Moves messages.\n").is_empty());
    }

    #[test]
    fn each_rule_finds_its_offender() {
        let long = format!("//! x\n{}", "\n".repeat(MAX_LINES));
        assert_eq!(problems_of("a/src/a.rs", "use x;\n").len(), 1);
        assert_eq!(problems_of("a/src/a.rs", &long).len(), 1);
        assert!(problems_of("a/tests/it/a.rs", &long).is_empty());
        assert_eq!(problems_of("a/src/utils.rs", "//! x\n").len(), 1);
        assert_eq!(problems_of("a/src/a/mod.rs", "//! x\n").len(), 1);
        for word in UNFINISHED.iter().chain(MACHINE_PATHS) {
            assert_eq!(problems_of("README.md", word).len(), 1, "{word}");
        }
    }
}
