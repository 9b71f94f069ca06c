//! What the listener in the middle can do to the two around it: nothing. The oracle is what the
//! listeners append to a file when they are entered.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;

use crate::harness::*;

/// Three listeners, the second of which does this.
fn middle(how: &str) -> Setup {
    let setup = Setup::new().module("trace_a").module_with("misbehave", &format!("how = '{how}'"));
    setup.module("trace_c").listen("echo").exit("listener = '300ms'")
}

/// The first and third listeners were done, each of the three entered once, in order.
#[track_caller]
fn only_the_middle(daemon: &Daemon, outcome: &str, error: &str) -> Exit {
    let exit = daemon.wait_exit();
    let entered = "trace_a/trace misbehave/misbehave trace_c/trace";
    assert_eq!(daemon.entered(&exit.session), entered);
    assert_eq!(exit.outcomes(), format!("done {outcome} done"));
    let told = exit.listeners[1].error.clone().unwrap_or_default();
    assert!(told.contains(error), "{told:?} instead of {error:?}");
    assert_eq!(exit.listeners[1].attempt, 1);
    exit
}

/// A client quits, and the second listener does this.
#[track_caller]
fn quit(how: &str, outcome: &str, error: &str) -> Exit {
    let daemon = middle(how).start();
    let mut client = daemon.connect();
    client.expect("hello");
    client.ask("quit", "goodbye: ");
    client.close();
    let exit = only_the_middle(&daemon, outcome, error);
    assert_eq!(exit.cause, "client-quit", "the cause stays what it was");
    exit
}

#[test]
fn an_error() {
    assert_eq!(quit("error", "failed", "told to fail").by(), "session session session");
}

#[test]
fn a_panic() {
    assert_eq!(quit("panic", "failed", "told to panic").by(), "session session session");
}

#[test]
fn a_write_through_a_null_pointer() {
    let exit = quit("null-write", "failed", "crashed with SIGSEGV");
    assert_eq!(exit.by(), "session session runner");
}

#[test]
fn a_jump_into_nowhere() {
    quit("wild-jump", "failed", "crashed with SIGSEGV");
}

#[test]
fn a_stack_overflow() {
    quit("stack-overflow", "failed", "crashed with SIGSEGV");
}

#[test]
fn an_abort() {
    quit("abort", "failed", "crashed with SIGABRT");
}

#[test]
fn an_exit() {
    quit("exit", "failed", "ended the process with status 0");
    quit("exit-now", "failed", "ended the process with status 0");
}

#[test]
fn another_program() {
    quit("execve", "failed", "ended the process with status 0");
}

#[test]
fn a_listener_that_computes_for_ever() {
    let exit = quit("spin", "timed-out", "deadline");
    assert!((300.0..2000.0).contains(&exit.listeners[1].ms), "{exit:?}");
}

#[test]
fn a_listener_that_sleeps_for_ever() {
    quit("sleep", "timed-out", "deadline");
}

#[test]
fn a_listener_that_stops_its_process() {
    quit("sigstop", "timed-out", "deadline");
}

#[test]
fn a_listener_that_closes_all_descriptors() {
    quit("close-all", "failed", "");
}

#[test]
fn a_listener_that_leaves_another_working_directory_or_umask() {
    quit("chdir", "failed", "");
    quit("umask", "failed", "");
}

#[test]
fn a_listener_that_leaves_a_process_with_the_connection_behind() {
    let daemon = middle("fork-holding").start();
    let mut client = daemon.connect();
    client.expect("hello");
    client.ask("quit", "goodbye: ");
    client.rest();
    client.close();
    only_the_middle(&daemon, "done", "");
    wait_until(|| daemon.processes().len() == 5);
}

#[test]
fn a_bad_listener_is_as_bad_after_the_session_was_killed() {
    for (how, outcome) in [("null-write", "failed"), ("exit", "failed"), ("sleep", "timed-out")] {
        let daemon = middle(how).start();
        daemon.connect().expect("hello");
        let mut client = daemon.connect();
        client.expect("hello");
        daemon.wait_exit();
        Process(daemon.session_pid()).signal(Signal::SIGKILL);
        let exit = daemon.wait_exits(2).remove(1);
        assert_eq!((&*exit.cause, exit.by()), ("signal", "runner runner runner".to_owned()));
        assert_eq!(exit.outcomes(), format!("done {outcome} done"));
    }
}

#[test]
fn a_kill_from_outside_interrupts_one_listener() {
    let daemon = middle("sleep").exit("chain = '60s'").start();
    daemon.connect().expect("hello");
    Process(daemon.wait_entered("misbehave")).signal(Signal::SIGKILL);
    only_the_middle(&daemon, "interrupted", "killed by SIGKILL");
}

#[test]
fn without_root_it_is_the_same() {
    let daemon = middle("null-write").as_nobody().start();
    daemon.connect().expect("hello");
    only_the_middle(&daemon, "failed", "crashed with SIGSEGV");
}

#[test]
fn a_deadline_of_its_own_counts_for_one_module() {
    let setup = Setup::new().module_keyed("misbehave", "listener = '100ms'", "how = 'sleep'");
    let daemon = setup.listen("echo").exit("listener = '1h'\nchain = '1h'").start();
    daemon.connect().expect("hello");
    assert_eq!(daemon.wait_exit().outcomes(), "timed-out");
}

#[test]
fn listeners_that_all_hang_get_the_budget_and_then_their_floor() {
    let setup = Setup::new();
    let pipe = setup.path("pipe");
    nix::unistd::mkfifo(&pipe, Mode::empty()).expect("a pipe can be made");
    std::fs::set_permissions(&pipe, std::fs::Permissions::from_mode(0o666)).expect("a mode");
    // To open a pipe that nobody reads takes for ever.
    let hangs = format!("trace = '{}'", pipe.display());
    let setup =
        ["trace_a", "trace_b", "trace_c"].iter().fold(setup, |s, m| s.module_with(m, &hangs));
    let daemon = setup.listen("echo").exit("listener = '400ms'\nchain = '400ms'").start();
    let begin = Instant::now();
    daemon.connect().expect("hello");
    let exit = daemon.wait_exit();
    assert_eq!(exit.outcomes(), "timed-out timed-out timed-out");
    assert!(begin.elapsed() < Duration::from_secs(5));
    let [first, second, third] = [0, 1, 2].map(|index: usize| exit.listeners[index].ms);
    assert!(first >= 390.0 && second >= 100.0 && third >= 100.0, "{exit:?}");
}
