//! Listens whose sessions become the user of the system who logs in, and what they have until then.

use crate::harness::*;

/// A user of the system that is there everywhere: its number, and that of its group.
const GAMES: (&str, &str) = ("5 5 5 5", "60 60 60 60");
const NOBODY: &str = "65534 65534 65534 65534";

fn setup() -> Setup {
    let setup = Setup::new().module("trace_a").module("reach");
    setup.listen_keyed("reach", "login_users = true")
}

/// A client that was greeted, and the process that serves it.
#[track_caller]
fn idle(daemon: &Daemon) -> (Client, Process) {
    let client = greeted(daemon);
    (client, Process(daemon.session_pid()))
}

/// The user that entered the listener of `core.exit`.
#[track_caller]
fn euid_at_exit(daemon: &Daemon) -> String {
    let trace = daemon.trace();
    let line = trace.iter().find(|line| line.contains("cause=")).expect("an end");
    line.split(' ').find_map(|word| word.strip_prefix("euid=")).expect("a user").to_owned()
}

#[test]
fn until_the_login_a_session_is_root_with_two_capabilities_and_confined() {
    if !needs_root() {
        return;
    }
    let daemon = setup().start();
    let (mut client, session) = idle(&daemon);
    assert_eq!((session.status("Uid"), session.status("Groups")), ("0 0 0 0".into(), "".into()));
    let (setuid, setgid) = (1 << 7, 1 << 6);
    assert_eq!(session.status("CapPrm"), format!("{:016x}", setuid | setgid));
    assert_eq!(session.status("NoNewPrivs"), "1");
    let folder = daemon.path("run").display().to_string();
    if daemon.log().contains("Landlock") {
        return;
    }
    client.ask(&format!("list {folder}"), "list failed: Permission denied");
}

#[test]
fn at_the_login_it_becomes_the_user_with_the_users_groups_for_good() {
    if !needs_root() {
        return;
    }
    let mut daemon = setup().start();
    let (mut client, session) = idle(&daemon);
    client.ask("login games system", "welcome games");
    assert_eq!((session.status("Uid"), session.status("Gid")), (GAMES.0.into(), GAMES.1.into()));
    assert_eq!(session.status("Groups"), "60");
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(session.status(set), "0000000000000000", "{set}");
    }
    client.close();
    daemon.wait_exit();
    assert_eq!(euid_at_exit(&daemon), "5");
    daemon.stop();
}

#[test]
fn the_runner_of_a_session_that_was_killed_is_the_same_user() {
    if !needs_root() {
        return;
    }
    let setup = Setup::new().module_with("misbehave", "how = 'sleep'").module("reach");
    let daemon = setup.listen_keyed("reach", "login_users = true").exit("listener = '30s'").start();
    let (mut client, session) = idle(&daemon);
    client.ask("login games system", "welcome games");
    session.signal(Signal::SIGKILL);
    let runner = Process(daemon.wait_entered("misbehave"));
    assert_eq!(runner.name(), "exeunt-runner");
    assert_eq!((runner.status("Uid"), runner.status("Groups")), (GAMES.0.into(), "60".into()));
}

#[test]
fn a_session_that_ends_without_a_login_runs_its_listeners_as_the_configured_user() {
    if !needs_root() {
        return;
    }
    let daemon = setup().start();
    idle(&daemon).0.close();
    assert_eq!(daemon.wait_exit().by(), "session");
    assert_eq!(euid_at_exit(&daemon), "65534");
    let daemon = setup().start();
    let (_client, session) = idle(&daemon);
    session.signal(Signal::SIGKILL);
    assert_eq!(daemon.wait_exit().by(), "runner");
    assert_eq!(euid_at_exit(&daemon), "65534");
}

#[test]
fn the_superuser_and_unknown_users_do_not_come_in() {
    if !needs_root() {
        return;
    }
    let why = [("root", "it is the superuser"), ("no-such-user", "the system has no such user")];
    for (user, why) in why {
        let daemon = setup().start();
        let (mut client, _) = idle(&daemon);
        client.send(&format!("login {user} system"));
        client.eof();
        let exit = daemon.wait_exit();
        let detail = format!("it cannot become {user}: {why}");
        assert_eq!((&*exit.cause, exit.detail), ("access-denied", Some(detail)));
        assert_eq!(euid_at_exit(&daemon), "65534");
    }
}

#[test]
fn a_user_that_is_none_of_the_system_becomes_the_configured_one() {
    if !needs_root() {
        return;
    }
    let daemon = setup().start();
    let (mut client, session) = idle(&daemon);
    client.ask("login games guest", "welcome games");
    assert_eq!(session.status("Uid"), NOBODY);
}

#[test]
fn other_listens_and_daemons_without_root_keep_the_user_that_they_have() {
    if needs_root() {
        let daemon = Setup::new().listen("reach").start();
        let (mut client, session) = idle(&daemon);
        client.ask("login games system", "welcome games");
        assert_eq!(session.status("Uid"), NOBODY);
    }
    let daemon = setup().as_nobody().start();
    let (mut client, session) = idle(&daemon);
    client.ask("login games system", "welcome games");
    assert_eq!(session.status("Uid"), Process(daemon.pid()).status("Uid"));
    let log = daemon.log();
    assert!(log.contains("listen reach: login_users needs a start as root"), "{log}");
}
