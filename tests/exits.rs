//! How sessions end: whatever the cause, each listener is entered once, in order, and the journal
//! names the cause. What a protocol can do is in `protocols`, and what listeners can do to one another
//! in `listeners`.

use std::time::Duration;

use crate::harness::*;

/// The only session has ended for this cause, and each listener was entered once, in order.
#[track_caller]
fn ended(daemon: &Daemon, cause: &str, by: &str) -> Exit {
    let exit = daemon.wait_exit();
    assert_eq!(exit.cause, cause, "{exit:?}");
    assert_eq!(daemon.entered(&exit.session), ALL);
    assert_eq!(exit.outcomes(), "done done done");
    assert_eq!(exit.by(), [by; 3].join(" "));
    assert!(exit.sealed);
    exit
}

#[test]
fn a_client_that_quits() {
    let daemon = three().start();
    let mut client = greeted(&daemon);
    client.ask("quit", "goodbye: ");
    client.eof();
    client.close();
    ended(&daemon, "client-quit", "session");
}

#[test]
fn the_journal_says_who_where_and_how_much() {
    let daemon = three().module_with("misbehave", "event = 'serve'").listen("misbehave").start();
    let mut client = daemon.connect_to("misbehave");
    let peer = client.stream().local_addr().expect("an address").to_string();
    client.ask("hi", "ok");
    client.close();
    let Exit { json, listeners, .. } = ended(&daemon, "client-eof", "session");
    let told: Vec<_> = ["listen", "protocol", "peer"].map(|key| json[key].clone()).into();
    assert_eq!(told, ["misbehave", "misbehave", &*peer]);
    assert_eq!((&json["bytes_in"], &json["bytes_out"]), (&4.into(), &4.into()));
    let titles: Vec<_> = listeners.iter().map(|t| format!("{}/{}", t.module, t.listener)).collect();
    assert_eq!(titles.join(" "), ALL);
}

#[test]
fn a_client_that_closes() {
    let daemon = three().start();
    greeted(&daemon).close();
    ended(&daemon, "client-eof", "session");
}

#[test]
fn a_client_that_resets() {
    let daemon = three().start();
    greeted(&daemon).reset();
    ended(&daemon, "client-reset", "session");
}

#[test]
fn a_client_that_never_says_anything_and_goes() {
    let daemon = three().start();
    drop(daemon.connect());
    daemon.wait_exit();
    assert_eq!(daemon.entered(&daemon.exits()[0].session), ALL);
}

#[test]
fn the_idle_timeout() {
    let daemon = three().timeouts("idle = '200ms'").start();
    greeted(&daemon).expect("goodbye: ");
    let exit = ended(&daemon, "timeout-idle", "session");
    assert_eq!(exit.detail.as_deref(), Some("after 200ms"));
}

#[test]
fn the_login_timeout() {
    let daemon = three().timeouts("login = '200ms'").start();
    greeted(&daemon).expect("goodbye: ");
    ended(&daemon, "timeout-login", "session");
}

#[test]
fn the_session_timeout_comes_though_the_client_is_busy() {
    let daemon = three().timeouts("session = '300ms'\nidle = '200ms'").start();
    let mut client = greeted(&daemon);
    let mut answers = 0;
    while client.ask("hi", "").as_str() == "hi" {
        answers += 1;
    }
    assert!(answers > 0);
    ended(&daemon, "timeout-session", "session");
}

#[test]
fn a_kick() {
    let daemon = three().start();
    let mut client = greeted(&daemon);
    let session = daemon.json("who")["sessions"][0]["session"].as_str().expect("an id").to_owned();
    assert_eq!(daemon.exeunt(&["kick", &session]).status, 0);
    client.expect("goodbye: ");
    client.eof();
    client.close();
    assert_eq!(ended(&daemon, "kicked", "session").session, session);
}

#[test]
fn the_first_order_is_the_cause() {
    let setup = Setup::new().module("trace_a").module_with("misbehave", "how = 'sleep'");
    let daemon = setup.listen("echo").exit("listener = '30s'").start();
    let _client = greeted(&daemon);
    assert_eq!(daemon.exeunt(&["kick", "1"]).status, 0);
    let session = Process(daemon.wait_entered("misbehave"));
    daemon.signal(Signal::SIGQUIT);
    session.signal(Signal::SIGKILL);
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, &*exit.outcomes()), ("kicked", "done interrupted"));
}

#[test]
fn a_term_of_the_session_lets_it_end_by_itself() {
    let daemon = three().start();
    let mut client = greeted(&daemon);
    Process(daemon.session_pid()).signal(Signal::SIGTERM);
    client.expect("goodbye: ");
    let exit = ended(&daemon, "signal", "session");
    assert_eq!(exit.detail.as_deref(), Some("SIGTERM"));
}

#[test]
fn a_kill_of_the_session_costs_nobody_anything() {
    let daemon = three().limits("sessions = 1").start();
    let mut client = greeted(&daemon);
    Process(daemon.session_pid()).signal(Signal::SIGKILL);
    assert!(comes(Duration::from_secs(1), || daemon.exits().len() == 1), "within a second");
    let exit = ended(&daemon, "signal", "runner");
    assert_eq!(exit.detail.as_deref(), Some("SIGKILL"));
    client.eof();
    greeted(&daemon);
}

#[test]
fn every_other_signal_that_kills() {
    for signal in [Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1] {
        let daemon = three().start();
        let _client = greeted(&daemon);
        Process(daemon.session_pid()).signal(signal);
        let exit = daemon.wait_exit();
        assert_eq!((&*exit.cause, exit.detail.as_deref()), ("signal", Some(signal.as_str())));
        assert_eq!(daemon.entered(&exit.session), ALL);
    }
}

#[test]
fn a_crash_says_where_the_session_was() {
    let daemon = three().start();
    let _client = greeted(&daemon);
    Process(daemon.session_pid()).signal(Signal::SIGSEGV);
    let exit = ended(&daemon, "crashed", "runner");
    let detail = exit.detail.expect("a detail");
    assert!(detail.contains("SIGSEGV") && detail.contains("echo"), "{detail}");
}

#[test]
fn the_event_of_a_timeout_comes_before_the_end() {
    let setup = Setup::new().module("trace_a").module_with("trace_b", "events = ['timeout-idle']");
    let daemon = setup.listen("echo").timeouts("idle = '100ms'").start();
    greeted(&daemon).expect("goodbye: ");
    let session = daemon.wait_exit().session;
    assert_eq!(daemon.entered(&session), "trace_b/timeout-idle trace_a/trace trace_b/trace");
}

#[test]
fn a_denial_at_the_connection() {
    let setup = Setup::new().module("trace_a").module_with("deny", "reason = 'not today'");
    let daemon = setup.module("trace_c").listen("echo").start();
    daemon.connect().expect("goodbye: ");
    let exit = daemon.wait_exit();
    assert_eq!(exit.cause, "access-denied");
    assert!(exit.detail.is_some_and(|detail| detail.contains("not today")));
    assert_eq!(daemon.entered(&exit.session), "deny/deny trace_a/trace trace_c/trace");
}

#[test]
fn a_session_over_a_limit_has_its_chain_too() {
    let daemon = three().limits("sessions = 1").start();
    let _first = greeted(&daemon);
    daemon.connect().expect("goodbye: ");
    ended(&daemon, "limit-sessions", "session");
}

#[test]
fn a_daemon_without_root_keeps_the_promise_too() {
    let daemon = three().as_nobody().start();
    let _client = greeted(&daemon);
    Process(daemon.session_pid()).signal(Signal::SIGKILL);
    ended(&daemon, "signal", "runner");
}
