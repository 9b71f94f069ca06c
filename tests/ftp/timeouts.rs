//! How long a client may take: 421, the cause in the journal, and what does not count as a pause.

use std::io::Write;
use std::time::Duration;

use super::Tree;
use super::dialogue::Ftp;
use crate::harness::Daemon;

/// Short enough for several of them within each timeout here.
const PAUSE: Duration = Duration::from_millis(150);

#[test]
fn a_client_that_says_nothing_is_told_and_let_go() {
    for login in [true, false] {
        let (_tree, daemon) = served("idle = '300ms'");
        let mut ftp = if login { Ftp::login(&daemon) } else { Ftp::connect(&daemon) };
        timed_out(&mut ftp, &daemon, "timeout-idle");
    }
}

#[test]
fn commands_reset_the_timeout_for_idle_clients() {
    let (_tree, daemon) = served("idle = '1s'");
    let mut ftp = Ftp::login(&daemon);
    for _ in 0..10 {
        assert!(!ftp.speaks_within(PAUSE));
        ftp.table(&[("NOOP", "200")]);
    }
    timed_out(&mut ftp, &daemon, "timeout-idle");
}

#[test]
fn a_transfer_is_not_idle_and_when_it_is_over_idle_counts_again() {
    let (tree, daemon) = served("idle = '500ms'");
    let mut ftp = Ftp::login(&daemon);
    let mut data = ftp.begin("STOR incoming/f");
    for _ in 0..2 {
        assert!(!ftp.speaks_within(Duration::from_millis(700)));
        data.write_all(b"x").expect("the server takes data");
    }
    drop(data);
    assert_eq!(ftp.code(), "226");
    timed_out(&mut ftp, &daemon, "timeout-idle");
    assert_eq!(tree.read("incoming/f"), b"xx");
}

#[test]
fn an_upload_may_be_slow_and_one_that_stands_still_is_ended() {
    let (tree, daemon) = traced("stalled = '1s'", "timeout-stalled");
    let mut ftp = Ftp::login(&daemon);
    let mut data = ftp.begin("STOR incoming/f");
    for _ in 0..10 {
        data.write_all(b"x").expect("the server takes data");
        assert!(!ftp.speaks_within(PAUSE));
    }
    traced_out(&mut ftp, &daemon, "timeout-stalled");
    assert_eq!(tree.read("incoming/f"), [b'x'; 10]);
}

#[test]
fn a_download_that_nobody_reads_is_ended() {
    let (_tree, daemon) = traced("stalled = '300ms'", "timeout-stalled");
    let mut ftp = Ftp::login(&daemon);
    let _data = ftp.begin("RETR big");
    traced_out(&mut ftp, &daemon, "timeout-stalled");
}

#[test]
fn commands_do_not_move_a_transfer() {
    let (_tree, daemon) = served("stalled = '1s'");
    let mut ftp = Ftp::login(&daemon);
    let _data = ftp.begin("STOR incoming/f");
    while !ftp.speaks_within(PAUSE) {
        ftp.send("NOOP");
    }
    timed_out(&mut ftp, &daemon, "timeout-stalled");
}

#[test]
fn commands_do_not_put_off_a_transfer() {
    let (_tree, daemon) = traced("no_transfer = '1s'", "timeout-no-transfer");
    let mut ftp = Ftp::login(&daemon);
    while !ftp.speaks_within(PAUSE) {
        ftp.table(&[("NOOP", "200")]);
    }
    traced_out(&mut ftp, &daemon, "timeout-no-transfer");
}

#[test]
fn transfers_are_expected_from_the_login_on_and_listings_are_some() {
    let (_tree, daemon) = served("no_transfer = '1s'");
    let mut ftp = Ftp::connect(&daemon);
    assert!(!ftp.speaks_within(Duration::from_millis(1200)));
    ftp.table(&[("USER anonymous", "331"), ("PASS guest@", "230")]);
    for _ in 0..8 {
        assert!(!ftp.speaks_within(PAUSE));
        ftp.lines("LIST");
    }
    timed_out(&mut ftp, &daemon, "timeout-no-transfer");
}

#[test]
fn commands_do_not_put_off_the_login() {
    let (_tree, daemon) = served("login = '1s'");
    let mut ftp = Ftp::connect(&daemon);
    let mut code = "200".to_owned();
    while code == "200" {
        if !ftp.speaks_within(PAUSE) {
            ftp.send("NOOP");
        }
        code = ftp.code();
    }
    assert_eq!(code, "421");
    ends_for(&daemon, "timeout-login");
}

#[test]
fn after_the_login_its_timeout_is_over() {
    let (_tree, daemon) = served("login = '300ms'");
    let mut ftp = Ftp::login(&daemon);
    assert!(!ftp.speaks_within(Duration::from_millis(600)));
    ftp.table(&[("NOOP", "200")]);
}

#[test]
fn a_session_has_its_time_however_busy_it_is() {
    let (_tree, daemon) = served("session = '1s'");
    let mut ftp = Ftp::login(&daemon);
    let mut data = ftp.begin("STOR incoming/f");
    while !ftp.speaks_within(PAUSE) {
        data.write_all(b"x").expect("the server takes data");
    }
    timed_out(&mut ftp, &daemon, "timeout-session");
}

fn served(timeouts: &str) -> (Tree, Daemon) {
    let tree = Tree::new();
    let daemon = tree.served_with("").timeouts(timeouts).start();
    (tree, daemon)
}

/// The same, and the event of a timeout is traced.
fn traced(timeouts: &str, event: &str) -> (Tree, Daemon) {
    let tree = Tree::new();
    let setup = tree.served_with("").module_with("trace_a", &format!("events = ['{event}']"));
    let daemon = setup.timeouts(timeouts).start();
    (tree, daemon)
}

/// The client is told with 421, and the listeners run: first those of the timeout, then those of the end.
#[track_caller]
fn traced_out(ftp: &mut Ftp, daemon: &Daemon, cause: &str) {
    assert_eq!(ftp.code(), "421");
    ftp.eof();
    let exit = daemon.wait_exit();
    assert_eq!((exit.cause.as_str(), exit.outcomes().as_str()), (cause, "done done"));
    assert!(exit.detail.is_some(), "{exit:?}");
    assert_eq!(daemon.entered(&exit.session), format!("trace_a/{cause} trace_a/trace"));
}

/// The client is told with 421, and the session ends for that cause.
#[track_caller]
fn timed_out(ftp: &mut Ftp, daemon: &Daemon, cause: &str) {
    assert_eq!(ftp.code(), "421");
    ftp.eof();
    ends_for(daemon, cause);
}

#[track_caller]
fn ends_for(daemon: &Daemon, cause: &str) {
    let exit = daemon.wait_exit();
    assert_eq!((exit.cause.as_str(), exit.outcomes().as_str()), (cause, "done"));
    assert!(exit.detail.is_some(), "{exit:?}");
}
