//! Commands that end sessions and the daemon, and who may give them.

use std::fs;

use super::{as_nobody, session_id, with_session};
use crate::harness::*;

#[test]
fn a_kick_ends_the_session_that_was_named() {
    let (daemon, mut client) = with_session();
    let mut other = daemon.connect();
    other.expect("hello");
    let sessions = daemon.json("who");
    let first = sessions["sessions"][0]["session"].as_str().expect("an id").to_owned();
    let kick = daemon.exeunt(&["kick", &first]);
    assert_eq!(kick.status, 0, "{}", kick.text);
    client.expect("goodbye");
    let exit = daemon.wait_exit();
    assert_eq!((&exit.session, &*exit.cause), (&first, "kicked"));
    other.ask("still there", "still there");
}

#[test]
fn a_session_may_be_named_by_its_number() {
    let (daemon, mut client) = with_session();
    let id = session_id(&daemon);
    let (_, number) = id.rsplit_once('-').expect("a number");
    assert_eq!(daemon.exeunt(&["kick", number]).status, 0);
    client.expect("goodbye");
    assert_eq!(daemon.wait_exit().cause, "kicked");
}

#[test]
fn a_session_that_is_not_there_cannot_be_kicked() {
    let (daemon, mut client) = with_session();
    let id = session_id(&daemon);
    let (incarnation, _) = id.rsplit_once('-').expect("a number");
    let unknown = daemon.exeunt(&["kick", &format!("{incarnation}-4711")]);
    assert_eq!(unknown.status, 1, "{}", unknown.text);
    assert!(unknown.stderr.contains("no such session"), "{}", unknown.text);
    let earlier = daemon.exeunt(&["kick", "earlier-1"]);
    assert_eq!(earlier.status, 1, "{}", earlier.text);
    assert!(earlier.stderr.contains("of an earlier daemon"), "{}", earlier.text);
    client.ask("quit", "goodbye");
    daemon.wait_exit();
    assert_eq!(daemon.exeunt(&["kick", &id]).status, 1, "it has ended");
}

#[test]
fn stop_waits_until_the_daemon_is_gone() {
    let mut daemon = Setup::new().module("trace_a").listen("echo").start();
    let stop = daemon.exeunt(&["stop"]);
    assert_eq!((stop.status, &*stop.stdout), (0, "stopped\n"), "{}", stop.text);
    assert!(!daemon.path("run/exeunt.pid").exists() && !daemon.path("run/control").exists());
    assert_eq!(daemon.entered("daemon"), "trace_a/trace");
    assert_eq!(daemon.wait_end(), Some(0));
}

#[test]
fn stop_now_ends_the_sessions_first() {
    let (mut daemon, mut client) = with_session();
    assert_eq!(daemon.exeunt(&["stop", "--now"]).status, 0);
    client.expect("goodbye");
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, &*exit.outcomes()), ("daemon-shutdown", "done done"));
    let subjects: Vec<String> = daemon.trace().iter().map(|line| subject(line)).collect();
    assert_eq!(subjects, [&exit.session, &exit.session, "daemon", "daemon"]);
    assert_eq!(daemon.wait_end(), Some(0));
}

/// What a line of the trace is about.
fn subject(line: &str) -> String {
    line.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn stop_gives_the_sessions_the_time_that_it_names() {
    let (mut daemon, mut client) = with_session();
    let stop = daemon.exeunt(&["stop", "--grace", "300ms"]);
    assert_eq!(stop.status, 0, "{}", stop.text);
    client.expect("goodbye");
    assert_eq!(daemon.wait_exit().cause, "daemon-shutdown");
    assert_eq!(daemon.wait_end(), Some(0));
}

#[test]
fn without_a_group_nobody_else_may_ask() {
    if !needs_root() {
        return;
    }
    let (daemon, mut client) = with_session();
    for words in [&["status"][..], &["who"], &["listeners"], &["kick", "1"], &["stop"]] {
        let output = as_nobody(&daemon, words);
        assert_eq!((output.status, &*output.stdout), (1, ""), "{words:?}: {}", output.text);
        assert!(output.stderr.contains("may not ask the daemon at"), "{}", output.text);
    }
    client.ask("still there", "still there");
}

#[test]
fn the_group_may_look_and_change_nothing() {
    if !needs_root() {
        return;
    }
    let nobody = nix::unistd::User::from_name("nobody").expect("users").expect("nobody");
    let group = nix::unistd::Group::from_gid(nobody.gid).expect("groups").expect("a group").name;
    let tables = format!("[control]\ngroup = '{group}'");
    let daemon = Setup::new().module("trace_a").listen("echo").log(&tables).start();
    let mut client = daemon.connect();
    client.expect("hello");
    for words in [&["status"][..], &["who"], &["listeners"]] {
        let output = as_nobody(&daemon, words);
        assert_eq!(output.status, 0, "{words:?}: {}", output.text);
    }
    for words in [&["kick", "1"][..], &["stop"], &["stop", "--now"]] {
        let output = as_nobody(&daemon, words);
        assert_eq!(output.status, 1, "{words:?}: {}", output.text);
        assert!(output.stderr.contains("only root and the daemon's own user"), "{}", output.text);
    }
    client.ask("still there", "still there");
}

#[test]
fn the_daemons_own_user_may_end_it() {
    if !needs_root() {
        return;
    }
    let mut daemon = Setup::new().module("trace_a").listen("echo").as_nobody().start();
    daemon.connect().expect("hello");
    assert_eq!(as_nobody(&daemon, &["who"]).status, 0);
    let stop = as_nobody(&daemon, &["stop", "--now"]);
    assert_eq!(stop.status, 0, "{}", stop.text);
    assert_eq!(daemon.wait_end(), Some(0));
    assert!(fs::read_dir(daemon.path("run")).expect("it stays").count() > 0, "the lock stays");
}
