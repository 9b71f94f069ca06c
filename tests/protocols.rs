//! What a protocol can do to its session: end it. Each listener is entered once, in order, whatever it
//! does.

use crate::harness::*;

/// A session whose protocol does this when the client says `go`.
#[track_caller]
fn serving(how: &str) -> (Daemon, Client) {
    let config = format!("event = 'serve'\nhow = '{how}'");
    let setup = Setup::new().module("trace_a").module_with("misbehave", &config);
    let setup = setup.module("trace_b").module("trace_c").listen("misbehave");
    let setup = setup.timeouts("idle = '200ms'").exit("kill_after = '200ms'");
    let daemon = setup.start();
    let mut client = daemon.connect();
    client.send("go");
    (daemon, client)
}

/// The protocol did this; the session ended for this cause, with this in the detail.
#[track_caller]
fn protocol(how: &str, cause: &str, detail: &str) {
    let (daemon, mut client) = serving(how);
    let exit = daemon.wait_exit();
    client.rest();
    assert_eq!(exit.cause, cause, "{exit:?}");
    let told = exit.detail.clone().unwrap_or_default();
    assert!(told.contains(detail) && told.contains("misbehave"), "{told}");
    assert_eq!(daemon.entered(&exit.session), format!("misbehave/misbehave {ALL}"));
    assert_eq!(exit.outcomes(), "done done done");
}

#[test]
fn a_protocol_that_writes_through_a_null_pointer() {
    protocol("null-write", "crashed", "SIGSEGV");
}

#[test]
fn a_protocol_that_jumps_into_nowhere() {
    protocol("wild-jump", "crashed", "SIGSEGV");
}

#[test]
fn a_protocol_that_overflows_its_stack() {
    protocol("stack-overflow", "crashed", "SIGSEGV");
}

#[test]
fn a_protocol_that_aborts() {
    protocol("abort", "crashed", "SIGABRT");
}

#[test]
fn a_protocol_that_panics() {
    protocol("panic", "crashed", "told to panic");
}

#[test]
fn a_protocol_that_calls_exit() {
    protocol("exit", "exited", "exit status 0");
    protocol("exit-now", "exited", "exit status 0");
}

#[test]
fn a_protocol_that_becomes_another_program() {
    protocol("execve", "exited", "exit status 0");
}

#[test]
fn a_protocol_that_never_returns() {
    protocol("spin", "deadline", "SIGKILL");
    protocol("sleep", "deadline", "SIGKILL");
    protocol("sigstop", "deadline", "SIGKILL");
}

#[test]
fn a_protocol_that_closes_its_descriptors() {
    let (daemon, mut client) = serving("close-all");
    client.rest();
    assert_eq!(daemon.wait_exit().outcomes(), "done done done");
}

#[test]
fn a_protocol_that_leaves_a_process_with_the_connection_behind() {
    let (daemon, mut client) = serving("fork-holding");
    client.expect("ok");
    let session = daemon.session_pid();
    client.send("quit");
    client.close();
    daemon.wait_exit();
    wait_until(|| daemon.processes().iter().all(|process| process.group() != Some(session)));
}
