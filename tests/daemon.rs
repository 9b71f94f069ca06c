//! The daemon's own beginning and end, and what becomes of sessions then.

use std::fs;

use crate::harness::*;

/// Every session has ended for this cause before the daemon's own listeners ran, in order.
#[track_caller]
fn sessions_ended_first(daemon: &Daemon, sessions: usize, cause: &str) {
    let exits = daemon.wait_exits(sessions);
    for exit in &exits {
        assert_eq!((&*exit.cause, &*exit.outcomes()), (cause, "done done done"));
        assert_eq!(daemon.entered(&exit.session), ALL);
    }
    let trace = daemon.trace();
    let (of_sessions, of_daemon) = trace.split_at(3 * sessions);
    assert!(of_sessions.iter().all(|line| !line.contains(" daemon ")), "{trace:?}");
    assert!(of_daemon.iter().all(|line| line.contains(" daemon ")), "{trace:?}");
    assert_eq!(daemon.entered("daemon"), ALL);
}

#[test]
fn term_ends_the_sessions_then_runs_the_shutdown_listeners() {
    let mut daemon = three().exit("grace = '100ms'").start();
    let mut clients = [greeted(&daemon), greeted(&daemon)];
    daemon.signal(Signal::SIGTERM);
    for client in &mut clients {
        client.expect("goodbye: the daemon");
    }
    drop(clients);
    assert_eq!(daemon.wait_end(), Some(0));
    sessions_ended_first(&daemon, 2, "daemon-shutdown");
}

#[test]
fn shutdown_listeners_run_as_root_and_exit_listeners_do_not() {
    if !needs_root() {
        return;
    }
    let mut daemon = three().start();
    drop(greeted(&daemon));
    daemon.wait_exit();
    assert_eq!(daemon.stop(), 0);
    for line in daemon.trace() {
        let euid = if line.contains(" daemon ") { "euid=0" } else { "euid=65534" };
        assert!(line.split(' ').any(|word| word == euid), "{line}");
    }
    assert_eq!(daemon.entered("daemon"), ALL);
}

#[test]
fn sessions_may_go_on_within_the_grace_and_a_second_term_ends_it() {
    let mut daemon = three().exit("grace = '1h'").start();
    let mut client = greeted(&daemon);
    daemon.signal(Signal::SIGTERM);
    wait_until(|| daemon.json("status")["generations"][0]["state"] == "draining");
    client.ask("still here", "still here");
    daemon.signal(Signal::SIGTERM);
    client.expect("goodbye: ");
    client.close();
    assert_eq!(daemon.wait_end(), Some(0));
    sessions_ended_first(&daemon, 1, "daemon-shutdown");
}

#[test]
fn the_daemon_ends_as_soon_as_the_last_session_has() {
    let mut daemon = three().exit("grace = '1h'").start();
    let mut client = greeted(&daemon);
    daemon.signal(Signal::SIGTERM);
    wait_until(|| daemon.json("status")["generations"][0]["state"] == "draining");
    client.ask("quit", "goodbye: ");
    client.close();
    assert_eq!(daemon.wait_end(), Some(0));
    sessions_ended_first(&daemon, 1, "client-quit");
}

#[test]
fn quit_leaves_no_grace() {
    let mut daemon = three().exit("grace = '1h'").start();
    let mut client = greeted(&daemon);
    daemon.signal(Signal::SIGQUIT);
    client.expect("goodbye: ");
    client.close();
    assert_eq!(daemon.wait_end(), Some(0));
    sessions_ended_first(&daemon, 1, "daemon-shutdown");
}

#[test]
fn nobody_connects_to_a_daemon_that_is_ending() {
    let daemon = three().exit("grace = '1h'").start();
    let mut client = greeted(&daemon);
    daemon.signal(Signal::SIGTERM);
    wait_until(|| std::net::TcpStream::connect(("127.0.0.1", daemon.port(None))).is_err());
    client.ask("still here", "still here");
}

#[test]
fn a_session_that_does_not_end_is_killed_and_its_listeners_run() {
    let setup = Setup::new().module("trace_a").listen("misbehave");
    let setup = setup.module_with("misbehave", "event = 'serve'\nhow = 'spin'");
    let mut daemon = setup.exit("grace = '1ms'\nkill_after = '200ms'").start();
    let mut client = daemon.connect();
    client.ask("begin", "ok");
    client.send("go");
    daemon.wait_entered("misbehave");
    assert_eq!(daemon.stop(), 0);
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, &*exit.by()), ("daemon-shutdown", "runner"));
}

#[test]
fn nothing_stays_of_a_daemon_that_ended_but_its_journal() {
    let mut daemon = three().start();
    let pid_file = daemon.path("run/exeunt.pid");
    assert_eq!(fs::read_to_string(&pid_file).expect("a file"), format!("{}\n", daemon.pid()));
    drop(greeted(&daemon));
    let processes = daemon.processes();
    assert_eq!(daemon.stop(), 0);
    assert!(!pid_file.exists());
    let run = fs::read_dir(daemon.path("run")).expect("the folder stays");
    let mut names: Vec<_> = run.flatten().map(|entry| entry.file_name()).collect();
    names.retain(|name| name != "lock" && name != "modules");
    assert!(names.is_empty(), "{names:?}");
    assert!(!processes.iter().any(|process| process.is_alive()));
    assert_eq!(daemon.exits().len(), 1);
}

#[test]
fn a_shutdown_listener_that_crashes_costs_the_others_nothing() {
    let setup = Setup::new().module("trace_a");
    let setup = setup.module_with("misbehave", "event = 'shutdown'\nhow = 'null-write'");
    let mut daemon = setup.module("trace_c").listen("echo").start();
    assert_eq!(daemon.stop(), 0);
    assert_eq!(daemon.entered("daemon"), "trace_a/trace misbehave/misbehave trace_c/trace");
    assert!(daemon.log().contains("misbehave/misbehave failed"), "the log says so");
}

#[test]
fn a_shutdown_listener_that_hangs_does_not_hold_the_daemon() {
    let setup = Setup::new().module("trace_a");
    let setup = setup.module_with("misbehave", "event = 'shutdown'\nhow = 'sleep'");
    let setup = setup.module("trace_c").listen("echo");
    let mut daemon = setup.exit("listener = '200ms'").start();
    assert_eq!(daemon.stop(), 0);
    assert_eq!(daemon.entered("daemon"), "trace_a/trace misbehave/misbehave trace_c/trace");
}

#[test]
fn a_second_daemon_is_refused_and_harms_nobody() {
    let daemon = three().start();
    let mut client = greeted(&daemon);
    let second = daemon.exeunt(&["run"]);
    assert_eq!(second.status, 1);
    assert!(second.stderr.contains("error: a daemon is running already with "), "{}", second.text);
    client.ask("still here", "still here");
    greeted(&daemon);
    assert_eq!(daemon.exeunt(&["status"]).status, 0);
}

#[test]
fn a_check_beside_a_running_daemon_harms_nobody() {
    let daemon = three().start();
    let mut client = greeted(&daemon);
    assert_eq!(daemon.exeunt(&["check"]).status, 0);
    client.ask("still here", "still here");
    assert!(daemon.trace().is_empty(), "no exit or shutdown listener ran");
}

#[test]
fn sessions_end_by_themselves_when_the_supervisor_is_killed() {
    let mut daemon = three().start();
    let mut clients = [greeted(&daemon), greeted(&daemon)];
    let processes = daemon.processes();
    daemon.signal(Signal::SIGKILL);
    assert_eq!(daemon.wait_end(), None);
    for client in &mut clients {
        client.expect("goodbye: ");
    }
    drop(clients);
    for exit in daemon.wait_exits(2) {
        assert_eq!((&*exit.cause, &*exit.outcomes()), ("supervisor-lost", "done done done"));
        assert_eq!(daemon.entered(&exit.session), ALL);
    }
    wait_until(|| !processes.iter().any(|process| process.is_alive()));
    assert_eq!(daemon.entered("daemon"), "", "that is left to the next start");
}

#[test]
fn a_session_that_hangs_does_not_outlive_the_supervisor() {
    let setup = Setup::new().module("trace_a").listen("misbehave");
    let setup = setup.module_with("misbehave", "event = 'serve'\nhow = 'sleep'");
    let daemon = setup.exit("kill_after = '200ms'").start();
    let mut client = daemon.connect();
    client.ask("begin", "ok");
    client.send("go");
    daemon.wait_entered("misbehave");
    let processes = daemon.processes();
    daemon.signal(Signal::SIGKILL);
    assert_eq!(daemon.wait_exit().cause, "supervisor-lost");
    wait_until(|| !processes.iter().any(|process| process.is_alive()));
}

#[test]
fn startup_listeners_run_once_before_the_first_connection() {
    let setup = Setup::new().module_with("trace_a", "events = ['startup', 'connect']");
    let daemon = setup.listen("echo").start();
    drop([greeted(&daemon), greeted(&daemon)]);
    let exits = daemon.wait_exits(2);
    assert_eq!(daemon.entered("daemon"), "trace_a/startup");
    assert!(daemon.trace()[0].starts_with("trace_a/startup daemon "));
    for exit in exits {
        assert_eq!(daemon.entered(&exit.session), "trace_a/connect trace_a/trace");
    }
}

#[test]
fn a_daemon_starts_where_one_was_killed() {
    let mut daemon = three().start();
    daemon.signal(Signal::SIGKILL);
    assert_eq!(daemon.wait_end(), None);
    daemon.restart();
    greeted(&daemon).ask("hi", "hi");
}

#[test]
fn a_daemon_without_root_serves_and_says_what_it_cannot_do() {
    let mut daemon = three().as_nobody().start();
    let mut client = greeted(&daemon);
    assert!(daemon.log().contains("started without root: "), "{}", daemon.log());
    client.ask("quit", "goodbye: ");
    client.close();
    assert_eq!(daemon.wait_exit().outcomes(), "done done done");
    assert_eq!(daemon.stop(), 0);
    assert_eq!(daemon.entered("daemon"), ALL);
}
