//! Authenticators in root helpers: secrets that sessions cannot read, and helpers that go wrong. Whatever
//! becomes of a helper, the login is decided or refused, and the session goes on.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::harness::*;

const GRANT: &str = "grant = ['root']\nlistener = '1s'";

/// A daemon whose users stand in a file that root alone may read.
fn setup(keys: &str) -> Setup {
    let setup = Setup::new().file("vault", "anna right\ncrash x\nhang x\n");
    let vault = setup.path("vault");
    fs::set_permissions(&vault, Permissions::from_mode(0o600)).expect("modes can be set");
    let config = format!("vault = '{}'", vault.display());
    setup.module("trace_a").module_keyed("reach", keys, &config).listen("reach")
}

#[test]
fn a_session_logs_in_by_a_file_that_it_cannot_read() {
    let daemon = setup(GRANT).start();
    let mut client = greeted(&daemon);
    if is_root() {
        let vault = daemon.path("vault").display().to_string();
        client.ask(&format!("read {vault}"), "read failed: Permission denied");
    }
    client.ask("login anna wrong", "no, 2 left");
    client.ask("login nobody-knows-her right", "no, 1 left");
    client.ask("login anna right", "welcome anna, at home in /anna, of staff");
    let trace = daemon.trace();
    let helper = trace.iter().find(|line| line.starts_with("vault ")).expect("it was asked");
    let euid = if is_root() { "euid=0" } else { "euid=" };
    assert!(helper.contains(euid) && helper.contains("peer=127.0.0.1:"), "{helper}");
}

#[test]
fn without_root_a_helper_has_the_rights_of_the_daemon() {
    let daemon = setup(GRANT).as_nobody().start();
    greeted(&daemon).ask("login anna right", "welcome anna");
}

#[test]
fn a_helper_that_fails_panics_crashes_ends_or_lies_refuses_and_costs_nobody_else() {
    let daemon = setup(GRANT).limits("login_attempts = 10").start();
    let mut client = greeted(&daemon);
    for user in ["error", "panic", "crash", "exit", "lie"] {
        client.ask(&format!("login {user} x"), "no, ");
    }
    client.ask("login anna right", "welcome anna");
    let log = daemon.log();
    for words in [
        "a helper of an authenticator ended with SIGABRT",
        "authenticator reach/vault of a login failed: its helper gave no answer",
        "authenticator reach/vault of a login failed: told to fail",
        "authenticator reach/vault of a login failed: it accepts without an account",
    ] {
        assert!(log.contains(words), "{words:?} is missing");
    }
}

#[test]
fn a_helper_that_hangs_is_killed_at_its_deadline_and_the_login_refused() {
    let daemon = setup(GRANT).start();
    let mut client = greeted(&daemon);
    client.ask("login hang x", "no, 2 left");
    client.ask("login anna right", "welcome anna");
    assert!(daemon.log().contains("a helper of an authenticator ended with SIGKILL"));
    let helpers = |process: &Process| process.name() == "exeunt-helper";
    wait_until(|| !daemon.processes().iter().any(helpers));
}

#[test]
fn a_session_can_be_ended_while_it_waits_for_a_helper() {
    let daemon = setup("grant = ['root']\nlistener = '20s'").exit("chain = '60s'").start();
    let mut client = greeted(&daemon);
    client.send("login hang x");
    let helpers = |process: &Process| process.name() == "exeunt-helper";
    wait_until(|| daemon.processes().iter().any(helpers));
    let session = daemon.json("who")["sessions"][0]["session"].as_str().expect("an id").to_owned();
    daemon.exeunt(&["kick", &session]);
    client.eof();
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, exit.by()), ("kicked", "session".to_owned()));
}

#[test]
fn more_logins_than_helpers_all_get_their_turn() {
    let daemon = setup("grant = ['root']\nlistener = '20s'").exit("chain = '60s'").start();
    let mut clients: Vec<_> = (0..40).map(|_| greeted(&daemon)).collect();
    clients.iter_mut().for_each(|client| client.send("login anna right"));
    clients.iter_mut().for_each(|client| drop(client.expect("welcome anna")));
}

#[test]
fn the_secret_is_on_no_page_that_stays() {
    let daemon = setup(GRANT).start();
    let mut client = greeted(&daemon);
    client.ask("login anna swordfish-4711", "no, 2 left");
    client.ask("login anna right", "welcome anna");
    client.close();
    daemon.wait_exit();
    for folder in ["run", "state"] {
        for entry in fs::read_dir(daemon.path(folder)).expect("a folder").flatten() {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            let found = bytes.windows(14).any(|window| window == b"swordfish-4711");
            assert!(!found, "{}", entry.path().display());
        }
    }
    assert!(!daemon.log().contains("swordfish"));
}

#[test]
fn a_module_that_is_not_granted_root_is_refused() {
    let refused = setup("").refused();
    let words = "module `reach`: the authenticator `vault` was refused: it asks for root, which its \
                 [[module]] table does not grant; if it may have it, write `grant = [\"root\"]` there";
    assert!(refused.status == 4 && refused.stderr.contains(words), "{}", refused.text);
}
