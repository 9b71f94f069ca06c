//! The way to the daemon, and what is said where there is none.

use std::fs;
use std::path::Path;

use super::*;
use crate::cli::refusal::ExitStatus;

#[test]
fn without_a_daemon_the_socket_and_the_configuration_are_named() {
    let (dir, daemon) = place();
    let refusal = refusal(run(&Client::Status { json: false, metrics: false }, &daemon).0);
    let socket = dir.path().join("control");
    assert_eq!(refusal.status, ExitStatus::NoDaemon);
    let expected = format!("error: no daemon is running: none answers at {}", socket.display());
    assert!(refusal.text.starts_with(&expected), "{}", refusal.text);
    assert!(refusal.text.contains("/etc/a.toml"));
}

#[test]
fn a_socket_that_was_left_behind_is_no_daemon() {
    let (dir, daemon) = place();
    drop(control::listen(&daemon.runtime_dir, None).expect("a socket"));
    assert!(dir.path().join("control").exists(), "the socket that the message names");
    let refusal = refusal(run(&Client::Stop { grace: None, now: false }, &daemon).0);
    assert_eq!(refusal.status, ExitStatus::NoDaemon);
}

/// A file that is wrong, beside its daemon.
const BROKEN: &str = "[host]\nspares = \"many\"\nruntime_dir = \".\"\n";

/// Why the daemon of a file cannot be found.
fn lost(file: &Path) -> Refusal {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let found = Daemon::find(Some(file), &mut Streams { out: &mut out, err: &mut err });
    assert!(err.is_empty(), "nothing is said of a daemon");
    let Err(refusal) = found else { panic!("a daemon was found") };
    refusal
}

#[test]
fn the_daemon_of_another_file_is_not_asked_in_place_of_that_of_a_broken_one() {
    let (dir, daemon) = place();
    let file = dir.path().join("modules.toml");
    fs::write(&file, BROKEN).expect("a file");
    let played = play(&daemon, vec![status()]);
    assert_eq!(lost(&file).status, ExitStatus::Unusable);
    assert_eq!(played.join().expect("a daemon"), [Request::Status]);
}

#[test]
fn a_broken_configuration_is_shown_with_its_place() {
    let (dir, _) = place();
    let file = dir.path().join("modules.toml");
    fs::write(&file, BROKEN).expect("a file");
    let refusal = lost(&file);
    assert_eq!(refusal.status, ExitStatus::Unusable);
    assert!(refusal.text.contains("modules.toml:2:10"), "{}", refusal.text);
}

#[test]
fn a_daemon_that_hangs_up_has_not_answered() {
    let (_dir, daemon) = place();
    let played = play(&daemon, vec![Box::new(drop)]);
    let refusal = refusal(run(&Client::Status { json: true, metrics: false }, &daemon).0);
    assert_eq!(refusal.text, "error: the daemon closed the connection without an answer\n");
    played.join().expect("a daemon");
}
