//! After the daemon was killed: the next start, or `exeunt replay`, finishes what it left, once.

use crate::harness::*;

/// The one session of a daemon that was killed: each listener was entered once, in order.
#[track_caller]
fn was_replayed(daemon: &Daemon) -> Exit {
    let exit = daemon.wait_exit();
    assert_eq!(exit.cause, "supervisor-lost");
    assert_eq!((&exit.json["replayed"], &*exit.by()), (&true.into(), "runner runner runner"));
    assert!(exit.sealed);
    assert_eq!(daemon.entered(&exit.session), ALL);
    exit
}

#[test]
fn the_next_start_finishes_the_sessions_and_the_end_of_the_daemon() {
    let mut daemon = three().start();
    let _client = greeted(&daemon);
    kill_everything(&mut daemon);
    daemon.restart();
    assert_eq!(was_replayed(&daemon).outcomes(), "done done done");
    assert_eq!(daemon.entered("daemon"), ALL);
    greeted(&daemon);
}

#[test]
fn replay_finishes_it_without_a_start_and_a_second_one_has_nothing_to_do() {
    let mut daemon = three().start();
    let _client = greeted(&daemon);
    kill_everything(&mut daemon);
    for _ in 0..2 {
        let output = daemon.exeunt(&["replay"]);
        assert_eq!(output.status, 0, "{}", output.text);
    }
    was_replayed(&daemon);
    assert_eq!(daemon.entered("daemon"), ALL);
    assert_eq!(daemon.exeunt(&["status"]).status, 3);
}

#[test]
fn a_running_daemon_is_not_replayed() {
    let daemon = three().start();
    let output = daemon.exeunt(&["replay"]);
    assert_eq!(output.status, 1);
    assert!(output.stderr.contains("a daemon is running already"), "{}", output.stderr);
}

#[test]
fn a_listener_that_was_running_is_interrupted_and_the_rest_goes_on() {
    let slow = "event = 'exit'\nhow = 'sleep'";
    let setup = Setup::new().module("trace_a").module_with("misbehave", slow).module("trace_c");
    let mut daemon = setup.exit("listener = '1h'\nchain = '1h'").listen("echo").start();
    greeted(&daemon).close();
    daemon.wait_entered("misbehave/misbehave");
    kill_everything(&mut daemon);
    daemon.restart();
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, &*exit.outcomes()), ("client-eof", "done interrupted done"));
    assert_eq!(daemon.entered(&exit.session), "trace_a/trace misbehave/misbehave trace_c/trace");
}

#[test]
fn a_replay_that_is_killed_goes_on_at_the_next() {
    let slow = "event = 'exit'\nhow = 'sleep'";
    let setup = Setup::new().module("trace_a").module_with("misbehave", slow).module("trace_c");
    let mut daemon = setup.exit("listener = '1h'\nchain = '1h'").listen("echo").start();
    let client = greeted(&daemon);
    kill_everything(&mut daemon);
    daemon.begin_restart();
    daemon.wait_entered("misbehave/misbehave");
    kill_everything(&mut daemon);
    daemon.restart();
    let exit = daemon.wait_exit();
    assert_eq!(exit.outcomes(), "done interrupted done");
    assert_eq!(daemon.entered(&exit.session), "trace_a/trace misbehave/misbehave trace_c/trace");
    drop(client);
}

#[test]
fn every_generation_is_finished_with_its_own_settings() {
    let setup = Setup::new().module_with("hello", "farewell = 'one'").listen("echo");
    let mut daemon = setup.start();
    let _old = greeted(&daemon);
    let path = daemon.path("modules.toml");
    let text = std::fs::read_to_string(&path).expect("a configuration");
    std::fs::write(&path, text.replace("'one'", "'two'")).expect("written");
    assert_eq!(daemon.exeunt(&["reload"]).status, 0);
    let _new = greeted(&daemon);
    kill_everything(&mut daemon);
    daemon.restart();
    daemon.wait_exits(2);
    let log = daemon.log();
    assert!(log.contains("-1: one, ") && log.contains("-2: two, "), "{log}");
}

#[test]
fn sessions_that_ended_by_themselves_are_not_finished_twice() {
    let mut daemon = three().start();
    let mut client = greeted(&daemon);
    daemon.signal(Signal::SIGKILL);
    client.expect("goodbye: ");
    client.close();
    daemon.wait_end();
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, &exit.json["replayed"]), ("supervisor-lost", &false.into()));
    daemon.restart();
    assert_eq!(daemon.exits().len(), 1);
    assert_eq!(daemon.entered(&exit.session), ALL);
    assert_eq!(daemon.entered("daemon"), ALL);
}

#[test]
fn a_daemon_without_root_is_replayed_too() {
    let mut daemon = three().as_nobody().start();
    let _client = greeted(&daemon);
    daemon.signal(Signal::SIGKILL);
    daemon.wait_end();
    daemon.restart();
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, daemon.entered(&exit.session)), ("supervisor-lost", ALL.to_owned()));
    assert_eq!(daemon.entered("daemon"), ALL);
}
