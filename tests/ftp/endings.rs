//! How FTP sessions end: who is told what, and that the listeners run once.

use std::io::{Read, Write};

use super::dialogue::Ftp;
use super::{BIG, Tree, ended_once, logged_in, traced};
use crate::harness::{Daemon, Process, Signal, wait_until};

#[test]
fn quit_is_answered_before_the_login_and_after_it() {
    for login in [false, true] {
        let (_tree, daemon) = traced();
        let mut ftp = if login { Ftp::login(&daemon) } else { Ftp::connect(&daemon) };
        ftp.table(&[("QUIT", "221")]);
        ftp.eof();
        ended_once(&daemon, "client-quit");
    }
}

#[test]
fn a_client_that_goes_without_a_word_is_noticed() {
    let (_tree, daemon) = traced();
    Ftp::login(&daemon).close();
    ended_once(&daemon, "client-eof");
}

#[test]
fn a_reset_is_told_from_an_end() {
    let (_tree, daemon) = traced();
    Ftp::login(&daemon).reset();
    ended_once(&daemon, "client-reset");
}

#[test]
fn a_kicked_client_is_told() {
    let (_tree, daemon) = traced();
    let mut ftp = Ftp::login(&daemon);
    kick(&daemon);
    assert_eq!(ftp.code(), "421");
    ftp.eof();
    ended_once(&daemon, "kicked");
}

#[test]
fn a_kick_ends_a_transfer_too() {
    for command in ["RETR big", "STOR incoming/f"] {
        let (_tree, daemon) = traced();
        let mut ftp = Ftp::login(&daemon);
        let _data = ftp.begin(command);
        kick(&daemon);
        assert_eq!(ftp.code(), "421");
        ftp.eof();
        ended_once(&daemon, "kicked");
    }
}

#[test]
fn the_end_of_the_daemon_is_told_to_clients_also_during_a_transfer() {
    let tree = Tree::new();
    let mut daemon = tree.served_with("").exit("grace = '100ms'").start();
    let mut idle = Ftp::login(&daemon);
    let mut busy = Ftp::login(&daemon);
    let _data = busy.begin("RETR big");
    assert_eq!(daemon.stop(), 0);
    for ftp in [&mut idle, &mut busy] {
        assert_eq!(ftp.code(), "421");
        ftp.eof();
    }
    let causes: Vec<_> = daemon.exits().into_iter().map(|exit| exit.cause).collect();
    assert_eq!(causes, ["daemon-shutdown", "daemon-shutdown"]);
}

#[test]
fn what_a_killed_session_has_sent_is_summed_up_by_a_runner() {
    let (_tree, daemon, mut ftp) = logged_in();
    let mut data = ftp.begin("RETR big");
    data.read_exact(&mut [0; 65536]).expect("the first bytes");
    kill(&daemon);
    let exit = daemon.wait_exit();
    assert_eq!((exit.cause.as_str(), exit.sealed), ("signal", true));
    let summary = exit.listeners.iter().find(|told| told.listener == "summary");
    assert!(summary.is_some_and(|told| told.by == "runner" && told.outcome == "done"), "{exit:?}");
    let sent = summed_up(&daemon, "sent 0 (");
    assert!((65536..BIG).contains(&sent), "{sent} bytes");
}

#[test]
fn what_a_killed_session_has_stored_is_summed_up_and_kept() {
    let (tree, daemon, mut ftp) = logged_in();
    let mut data = ftp.begin("STOR incoming/f");
    data.write_all(&[b'x'; 100]).expect("a server that takes data");
    wait_until(|| tree.length("incoming/f") == Some(100));
    kill(&daemon);
    assert_eq!(daemon.wait_exit().cause, "signal");
    assert_eq!(summed_up(&daemon, "stored 0 files ("), 100);
    assert_eq!(tree.length("incoming/f"), Some(100));
}

fn kick(daemon: &Daemon) {
    let who = daemon.json("who");
    let session = who["sessions"][0]["session"].as_str().expect("a session");
    assert_eq!(daemon.exeunt(&["kick", session]).status, 0);
}

fn kill(daemon: &Daemon) {
    Process(daemon.session_pid()).signal(Signal::SIGKILL);
}

/// The number behind `words` in the log.
fn summed_up(daemon: &Daemon, words: &str) -> u64 {
    let log = daemon.log();
    let number = log.split(words).nth(1).and_then(|rest| rest.split(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {words:?} in {log}"))
}
