//! `exeunt exits`: how sessions ended.

use std::fs::{self, File};
use std::process::{Child, Command};

use serde_json::Value;

use crate::harness::*;

/// A daemon in which that many sessions have ended, and their ids in order.
fn with_ended(sessions: usize) -> (Daemon, Vec<String>) {
    let daemon = Setup::new().module("trace_a").module("trace_b").listen("echo").start();
    for ended in 1..=sessions {
        end_one(&daemon);
        daemon.wait_exits(ended);
    }
    let ids = daemon.exits().into_iter().map(|exit| exit.session).collect();
    (daemon, ids)
}

fn end_one(daemon: &Daemon) {
    let mut client = daemon.connect();
    client.expect("hello");
    client.ask("quit", "goodbye");
}

/// The ids in what `exits --json` printed.
fn ids(lines: &str) -> Vec<String> {
    let id = |line| {
        serde_json::from_str::<Value>(line).expect("JSON")["session"].as_str().map(str::to_owned)
    };
    lines.lines().filter_map(id).collect()
}

#[test]
fn the_last_sessions_are_shown_in_the_order_in_which_they_ended() {
    let (daemon, ended) = with_ended(3);
    let shown = |last| ids(&daemon.exeunt(&["exits", "--json", "--last", last]).stdout);
    assert_eq!(shown("2"), ended[1..]);
    assert_eq!(shown("1"), ended[2..]);
    assert_eq!(shown("0"), ended);
    assert_eq!(shown("99"), ended);
}

#[test]
fn a_line_tells_a_program_how_the_session_ended() {
    let (daemon, ended) = with_ended(1);
    let line = daemon.exeunt(&["exits", "--json"]).stdout;
    let exit: Value = serde_json::from_str(&line).expect("JSON");
    for field in ["session", "generation", "user", "peer", "cause", "detail", "started", "ended"] {
        assert!(exit.get(field).is_some(), "{field} is missing in {exit}");
    }
    assert_eq!(
        (&exit["session"], &exit["cause"]),
        (&Value::from(&*ended[0]), &"client-quit".into())
    );
    assert_eq!((&exit["sealed"], &exit["replayed"]), (&true.into(), &false.into()));
    let first = &exit["listeners"][0];
    assert_eq!((&first["module"], &first["listener"]), (&"trace_a".into(), &"trace".into()));
    assert_eq!((&first["outcome"], &first["by"]), (&"done".into(), &"session".into()));
    assert_eq!((&first["error"], &first["attempt"]), (&Value::Null, &1.into()));
    assert!(first["ms"].as_f64().expect("milliseconds") >= 0.0, "{first}");
}

#[test]
fn people_are_shown_the_cause_and_each_listener() {
    let (daemon, ended) = with_ended(1);
    let text = daemon.exeunt(&["exits"]).stdout;
    for words in [&*ended[0], "client-quit", "1  trace_a/trace", "2  trace_b/trace", "done"] {
        assert!(text.contains(words), "{words} is missing in:\n{text}");
    }
}

#[test]
fn the_journal_can_be_read_when_the_daemon_is_gone() {
    let (mut daemon, ended) = with_ended(1);
    daemon.stop();
    let output = daemon.exeunt(&["exits", "--json"]);
    assert_eq!((output.status, ids(&output.stdout)), (0, ended), "{}", output.text);
}

/// A command that goes on, ended with the test.
struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        let _gone = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn following_shows_each_session_as_it_ends() {
    let (daemon, _) = with_ended(1);
    let shown = daemon.path("followed");
    let mut command = Command::new(env!("CARGO_BIN_EXE_exeunt"));
    command.args(["exits", "--follow", "--json", "-c"]).arg(daemon.path("modules.toml"));
    command.stdout(File::create(&shown).expect("a file"));
    let _following = Following(command.spawn().expect("it can be run"));
    for ended in 1..=3 {
        wait_until(|| ids(&whole_lines(&fs::read_to_string(&shown).expect("text"))).len() == ended);
        end_one(&daemon);
        daemon.wait_exits(ended + 1);
    }
}

/// What is there up to the last end of a line.
fn whole_lines(text: &str) -> String {
    text.rfind('\n').map_or_else(String::new, |end| text[..=end].to_owned())
}
