//! Ending a session, and the daemon.

use std::io::Write as _;
use std::time::Duration;

use super::*;
use crate::cli::refusal::ExitStatus;

#[test]
fn a_kick_is_sent_with_the_sessions_number() {
    let (_dir, daemon) = place();
    let played = play(&daemon, vec![status(), reply(Reply::done(""))]);
    let (done, out, _) = run(&kick("tk3f9a-17"), &daemon);
    assert!(done.is_ok());
    assert_eq!(out, "session tk3f9a-17 was told to end\n");
    let asked = played.join().expect("a daemon");
    assert_eq!(asked, [Request::Status, Request::Kick { session: 17 }]);
}

#[test]
fn a_session_of_an_earlier_daemon_is_not_mistaken_for_another() {
    let (_dir, daemon) = place();
    let played = play(&daemon, vec![status()]);
    let refusal = refusal(run(&kick("old-17"), &daemon).0);
    assert!(refusal.text.contains("of an earlier daemon"), "{}", refusal.text);
    assert_eq!(played.join().expect("a daemon"), [Request::Status]);
}

#[test]
fn the_daemons_refusal_is_shown_in_its_words() {
    let (_dir, daemon) = place();
    let played = play(&daemon, vec![reply(Reply::refused("there is no session 18"))]);
    let refusal = refusal(run(&kick("18"), &daemon).0);
    played.join().expect("a daemon");
    assert_eq!(refusal.status, ExitStatus::No);
    assert_eq!(refusal.text, "error: there is no session 18\n");
}

#[test]
fn stop_returns_when_the_daemon_is_gone() {
    let (_dir, daemon) = place();
    // More than a socket holds: written in full only if the client reads to the end.
    let act = |mut stream: UnixStream| {
        Reply::done("").send(&stream);
        stream.write_all(&vec![0; 4 << 20]).expect("a client that waits");
    };
    let played = play(&daemon, vec![Box::new(act)]);
    let (done, out, _) = run(&Client::Stop { grace: None, now: true }, &daemon);
    assert!(done.is_ok());
    assert_eq!(out, "stopped\n");
    let asked = played.join().expect("a daemon whose client stayed");
    assert_eq!(asked, [Request::Stop { grace: Some(0) }]);
}

#[test]
fn stop_believes_nobody_who_hangs_up_and_still_runs() {
    let (_dir, daemon) = place();
    let played = play(&daemon, vec![Box::new(drop), status()]);
    let grace = Some(Duration::from_secs(10));
    let refusal = refusal(run(&Client::Stop { grace, now: false }, &daemon).0);
    assert!(refusal.text.contains("without an answer"), "{}", refusal.text);
    let asked = played.join().expect("a daemon");
    assert_eq!(asked[0], Request::Stop { grace: Some(10_000) });
}
