//! What is shown of a daemon that runs.

use std::fs::{self, File};
use std::path::Path;

use super::*;
use crate::cli::refusal::ExitStatus;
use crate::scoreboard::{self, Beginning};

#[test]
fn status_shows_generations_and_modules() {
    let (dir, daemon) = place();
    fs::write(dir.path().join("plan.1.json"), PLAN).expect("a plan");
    let played = play(&daemon, vec![status()]);
    let (_, out, err) = run(&Client::Status { json: false, metrics: false }, &daemon);
    played.join().expect("a daemon");
    let expected = "\
pid                4711
started            2026-01-02T03:04:05.678Z
config             /etc/a.toml
user               nobody
refused, capacity  3

generation 1: active, pid 4712, 1 session
  ftp          0.1.0  0123456789ab
  exit_report  0.2.0  ba9876543210
";
    assert_eq!((out.as_str(), err.as_str()), (expected, ""));
}

#[test]
fn status_for_programs_is_the_daemons_with_modules() {
    let (dir, daemon) = place();
    fs::write(dir.path().join("plan.1.json"), PLAN).expect("a plan");
    let played = play(&daemon, vec![status()]);
    let (_, out, _) = run(&Client::Status { json: true, metrics: false }, &daemon);
    played.join().expect("a daemon");
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(json["pid"], 4711);
    let module = &json["generations"][0]["modules"][1];
    let expected = r#"{"name":"exit_report","sha256":"ba98765432100000","version":"0.2.0"}"#;
    assert_eq!(module.to_string(), expected);
}

#[test]
fn modules_that_are_not_known_are_said_to_be_so() {
    let (_dir, daemon) = place();
    let played = play(&daemon, vec![status()]);
    let (_, out, err) = run(&Client::Status { json: true, metrics: false }, &daemon);
    played.join().expect("a daemon");
    assert!(out.contains(r#""modules":null"#), "{out}");
    assert!(err.starts_with("note: could not read the plan of generation 1: "), "{err}");
}

#[test]
fn listeners_stand_in_the_order_in_which_they_run() {
    let (dir, daemon) = place();
    fs::write(dir.path().join("plan.1.json"), PLAN).expect("a plan");
    let played = play(&daemon, vec![status(), status()]);
    let (_, out, _) = run(&Client::Listeners { json: false }, &daemon);
    let (_, json, _) = run(&Client::Listeners { json: true }, &daemon);
    played.join().expect("a daemon");
    assert!(out.starts_with("core.exit\n  1  ftp/summary\n  2  exit_report/report\n"), "{out}");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["events"][1]["listeners"][0]["listener"], "bye");
}

fn scoreboard(dir: &Path) {
    let path = dir.join(scoreboard::file_name(1));
    let file = File::options().read(true).write(true).create_new(true).open(path);
    let file = file.expect("a scoreboard");
    scoreboard::create(&file, 2, 1).expect("a first page");
    let entry = scoreboard::entry(&file, 1).expect("an entry");
    let known = Beginning {
        pid: 99,
        session: 17,
        id: "tk3f9a-17",
        listen: "public",
        protocol: "ftp",
        peer: "127.0.0.1:4000",
        now: 1_700_000_000_120,
    };
    entry.begin(&known);
    entry.command("RETR", Some("/\u{202e}a"));
}

#[test]
fn who_shows_a_line_for_each_session() {
    let (dir, daemon) = place();
    scoreboard(dir.path());
    let played = play(&daemon, vec![status()]);
    let (_, out, _) = run(&Client::Who { json: false }, &daemon);
    played.join().expect("a daemon");
    let lines: Vec<_> = out.lines().collect();
    let cells: Vec<_> = lines[1].split_whitespace().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(cells[..4], ["tk3f9a-17", "-", "127.0.0.1:4000", "ftp"]);
    assert_eq!(cells[4], "2023-11-14T22:13:20.120Z");
    assert_eq!(cells[6..], ["connected", "RETR", "/\\u{202e}a"]);
}

#[test]
fn who_for_programs_has_every_field() {
    let (dir, daemon) = place();
    scoreboard(dir.path());
    let played = play(&daemon, vec![status()]);
    let (_, out, _) = run(&Client::Who { json: true }, &daemon);
    played.join().expect("a daemon");
    let mut json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert!(json["sessions"][0]["idle_ms"].take().is_u64());
    let expected = serde_json::json!({
        "session": "tk3f9a-17", "pid": 99, "generation": 1, "listen": "public",
        "protocol": "ftp", "user": null, "peer": "127.0.0.1:4000",
        "started": "2023-11-14T22:13:20.120Z", "idle_ms": null, "state": "connected",
        "command": "RETR", "path": "/\u{202e}a", "bytes_in": 0, "bytes_out": 0,
    });
    assert_eq!(json["sessions"], serde_json::json!([expected]));
}

#[test]
fn a_scoreboard_of_another_layout_is_named() {
    let (dir, daemon) = place();
    fs::write(dir.path().join("scoreboard.1"), [0; 4096]).expect("a file");
    let played = play(&daemon, vec![status()]);
    let refusal = refusal(run(&Client::Who { json: false }, &daemon).0);
    played.join().expect("a daemon");
    assert!(refusal.text.contains("generation 1"), "{}", refusal.text);
    assert_eq!(refusal.status, ExitStatus::No);
}
