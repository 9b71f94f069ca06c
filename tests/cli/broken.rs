//! The daemon is found and can be asked while its file is wrong.

use std::fs;

use super::{session_id, with_session};
use crate::harness::*;

/// Breaks the file of a daemon that runs.
fn break_file(daemon: &Daemon, by: &str) {
    let path = daemon.path("modules.toml");
    let text = fs::read_to_string(&path).expect("a configuration");
    fs::write(path, format!("{text}\n{by}\n")).expect("written");
}

/// The answer of a command, beside which the file is said to be wrong.
#[track_caller]
fn answer(daemon: &Daemon, words: &[&str]) -> String {
    let output = daemon.exeunt(words);
    assert_eq!(output.status, 0, "{}", output.text);
    let file = daemon.path("modules.toml");
    let note = format!("note: {} is wrong at the moment, ", file.display());
    assert!(output.stderr.starts_with(&note), "{}", output.stderr);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    output.stdout
}

#[test]
fn the_commands_that_ask_find_the_daemon_of_a_broken_file() {
    for by in ["[limit]", "[[module", "x = ["] {
        let (mut daemon, mut client) = with_session();
        let id = session_id(&daemon);
        break_file(&daemon, by);
        assert!(answer(&daemon, &["status"]).contains("generation 1: active"), "{by}");
        assert!(answer(&daemon, &["who", "--json"]).contains(&id), "{by}");
        answer(&daemon, &["listeners"]);
        answer(&daemon, &["kick", &id]);
        client.expect("goodbye");
        daemon.wait_exit();
        assert!(answer(&daemon, &["exits"]).contains("kicked"), "{by}");
        assert_eq!(answer(&daemon, &["stop"]), "stopped\n", "{by}");
        assert_eq!(daemon.wait_end(), Some(0));
    }
}

#[test]
fn a_broken_file_is_refused_by_the_daemon_and_the_generation_before_can_come_back() {
    let daemon = Setup::new().listen("echo").start();
    assert_eq!(daemon.exeunt(&["reload"]).status, 0);
    break_file(&daemon, "[limit]");
    let refused = daemon.exeunt(&["reload"]);
    assert_eq!(refused.status, 4, "{}", refused.text);
    assert!(refused.stderr.contains("did you mean `limits`?"), "{}", refused.text);
    assert_eq!(answer(&daemon, &["reload", "--previous"]), "generation 4 serves\n");
}

#[test]
fn without_a_daemon_the_mistakes_of_a_broken_file_are_shown() {
    let mut daemon = Setup::new().listen("echo").start();
    assert_eq!(daemon.stop(), 0);
    break_file(&daemon, "[limit]");
    let refused = daemon.exeunt(&["status"]);
    assert_eq!(refused.status, 4, "{}", refused.text);
    assert!(refused.stderr.contains("modules.toml:"), "{}", refused.text);
}
