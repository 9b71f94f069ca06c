//! Starts that are refused: each with a text of its own that says which module or setting it was, and
//! with nothing left behind. How each room finds out is tested where it lives.

mod altered;
mod files;
mod host;
mod inits;
mod origins;
mod registrations;
mod settings;

use std::fs;

use crate::harness::*;

/// What a refused start may leave in the runtime directory: both are used again by the next start.
const STAYS: [&str; 2] = ["lock", "modules"];

/// The start and the check are both refused as wrong configurations are, both in these words.
#[track_caller]
fn is_refused(setup: &Setup, words: &[&str]) -> Output {
    let check = setup.check();
    let checked = fs::read_dir(setup.path("run")).is_err();
    assert!(checked, "the check made a runtime directory");
    let start = setup.refused();
    for output in [&check, &start] {
        assert_eq!(output.status, 4, "{}", output.text);
        assert_eq!(output.stdout, "", "refusals belong on standard error");
        says(output, words);
    }
    left_nothing_behind(setup);
    start
}

#[track_caller]
fn says(output: &Output, words: &[&str]) {
    for words in words {
        assert!(output.stderr.contains(words), "{words:?} is missing in:\n{}", output.text);
    }
}

/// There is no pid file, no control socket, no ledger and no process.
#[track_caller]
fn left_nothing_behind(setup: &Setup) {
    let left = fs::read_dir(setup.path("run")).into_iter().flatten().flatten();
    let left = left.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let left: Vec<String> = left.filter(|name| !STAYS.contains(&&**name)).collect();
    assert_eq!(left, Vec::<String>::new(), "in the runtime directory");
    // What is killed with its group takes a moment.
    wait_until(|| processes_of(setup).is_empty());
    assert_eq!(fs::read_to_string(setup.path("trace")).expect("the trace"), "", "no listener ran");
}

/// Every process that was started with the configuration in the folder.
fn processes_of(setup: &Setup) -> Vec<i32> {
    let folder = setup.path("").to_string_lossy().into_owned();
    let all = fs::read_dir("/proc").expect("proc is mounted").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(&folder)
    })
    .collect()
}

/// Adds tables that the harness has no word for.
fn with_tables(setup: Setup, tables: &str) -> Setup {
    // `[log]` is the last table that it writes, so that others may begin behind its lines.
    setup.log(tables)
}
