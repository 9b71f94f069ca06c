//! How many are admitted, and when a place is free again.

use std::thread;

use crate::harness::*;

/// A place was free: the client is greeted.
#[track_caller]
fn comes_in(daemon: &Daemon) -> Client {
    let mut client = daemon.connect();
    client.expect("hello");
    client
}

/// No place was free: the client is sent away.
#[track_caller]
fn is_sent_away(daemon: &Daemon) {
    daemon.connect().expect("goodbye: ");
}

#[test]
fn of_sixty_at_once_exactly_ten_are_admitted() {
    let daemon = Setup::new().module("trace_a").listen("echo").limits("sessions = 10").start();
    let clients: Vec<_> = (0..60).map(|_| daemon.connect()).collect();
    let hears = |mut client: Client| (client.line() == "hello").then_some(client);
    let heard = clients.into_iter().map(|client| thread::spawn(move || hears(client)));
    let heard: Vec<_> = heard.collect();
    let admitted: Vec<_> = heard.into_iter().filter_map(|t| t.join().expect("a line")).collect();
    assert_eq!(admitted.len(), 10);
    let exits = daemon.wait_exits(50);
    assert!(exits.iter().all(|exit| exit.cause == "limit-sessions" && exit.outcomes() == "done"));
    assert_eq!(daemon.session_pids().len(), 10);
}

#[test]
fn sixty_at_once_from_as_many_threads() {
    let daemon = Setup::new().listen("echo").limits("sessions = 10").start();
    let port = daemon.port(None);
    let one = move || {
        let mut client = Client::to(("127.0.0.1", port));
        (client.line() == "hello").then_some(client)
    };
    let threads: Vec<_> = (0..60).map(|_| thread::spawn(one)).collect();
    let admitted =
        threads.into_iter().filter_map(|t| t.join().expect("a line")).collect::<Vec<_>>();
    assert_eq!(admitted.len(), 10);
}

#[test]
fn a_place_is_free_when_a_client_has_quit() {
    let daemon = Setup::new().listen("echo").limits("sessions = 1").start();
    let mut client = comes_in(&daemon);
    is_sent_away(&daemon);
    for _ in 0..100 {
        client.ask("quit", "goodbye: ");
        client = comes_in(&daemon);
    }
}

#[test]
fn a_place_is_free_when_a_session_was_killed() {
    let daemon = Setup::new().listen("echo").limits("sessions = 1").start();
    let mut client = comes_in(&daemon);
    is_sent_away(&daemon);
    for _ in 0..20 {
        let session = Process(daemon.session_pid());
        session.signal(Signal::SIGKILL);
        wait_until(|| !session.is_alive());
        client.eof();
        client = comes_in(&daemon);
    }
}

#[test]
fn a_place_is_free_while_the_listeners_of_the_last_session_still_run() {
    let setup = Setup::new().module_with("misbehave", "how = 'sleep'").listen("echo");
    let setup = setup.limits("sessions = 1").exit("listener = '30s'");
    let daemon = setup.start();
    comes_in(&daemon).close();
    let busy = Process(daemon.wait_entered("misbehave"));
    assert!(daemon.session_pids().is_empty(), "who does not list it");
    comes_in(&daemon);
    assert!(busy.is_alive());
}

#[test]
fn a_place_is_free_while_a_runner_works_for_a_session_that_was_killed() {
    let setup = Setup::new().module_with("misbehave", "how = 'sleep'").listen("echo");
    let setup = setup.limits("sessions = 1").exit("listener = '30s'");
    let daemon = setup.start();
    let _client = comes_in(&daemon);
    Process(daemon.session_pid()).signal(Signal::SIGKILL);
    let busy = Process(daemon.wait_entered("misbehave"));
    assert!(daemon.session_pids().is_empty(), "who does not list it");
    comes_in(&daemon);
    assert!(busy.is_alive());
}

#[test]
fn an_address_has_its_own_limit() {
    let setup = Setup::new().module("trace_a").listen("echo").limits("sessions_per_address = 2");
    let daemon = setup.start();
    let from = |address| Client::from(address, ("127.0.0.1", daemon.port(None)));
    let mut first = [from("127.0.0.1"), from("127.0.0.1")];
    first.iter_mut().for_each(|client| drop(client.expect("hello")));
    from("127.0.0.1").expect("goodbye: ");
    let exit = daemon.wait_exit();
    assert_eq!(exit.cause, "limit-per-address");
    assert!(exit.detail.is_some_and(|detail| detail.contains("limit 2 for 127.0.0.1")));
    from("127.0.0.2").expect("hello");
}

#[test]
fn an_address_that_connects_too_often_is_sent_away() {
    let traced = "events = ['connection-rate']";
    let setup = Setup::new().module_with("trace_a", traced).listen("echo");
    let daemon = setup.limits("connections_per_minute = 3").start();
    for _ in 0..3 {
        comes_in(&daemon).ask("quit", "goodbye: ");
    }
    for _ in 0..2 {
        daemon.connect().expect("goodbye: the client connects too often");
    }
    let mut exits = daemon.wait_exits(5);
    exits.retain(|exit| exit.cause == "connection-rate");
    assert_eq!(exits.len(), 2);
    for exit in exits {
        assert_eq!(exit.detail.as_deref(), Some("limit 3 for 127.0.0.1"));
        assert_eq!(daemon.entered(&exit.session), "trace_a/connection-rate trace_a/trace");
    }
    Client::from("127.0.0.2", ("127.0.0.1", daemon.port(None))).expect("hello");
}

#[test]
fn a_session_whose_logins_fail_ends() {
    let setup = Setup::new().file("srv/a", "").module_with("ftp", "root = 'srv'");
    let setup = setup.module("trace_a").listen("ftp").limits("login_attempts = 2");
    let daemon = setup.start();
    let mut client = daemon.connect();
    client.expect("220");
    client.ask("USER root", "331");
    client.ask("PASS wrong", "530");
    client.ask("USER root", "331");
    client.ask("PASS wrong", "530");
    client.close();
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, exit.detail.as_deref()), ("limit-login-attempts", Some("limit 2")));
    assert_eq!((&exit.user, daemon.entered(&exit.session)), (&None, "trace_a/trace".to_owned()));
}

#[test]
fn over_the_capacity_a_client_gets_one_word_and_nobody_owes_it_anything() {
    let daemon = Setup::new().module("trace_a").listen("echo").host("capacity = 2").start();
    let open = [comes_in(&daemon), comes_in(&daemon)];
    let mut third = daemon.connect();
    assert_eq!(third.rest(), "too many sessions, come back later\r\n");
    assert_eq!(daemon.json("status")["refused"]["capacity"], 1);
    drop(open);
    let exits = daemon.wait_exits(2);
    assert!(exits.iter().all(|exit| exit.cause == "client-eof"));
    comes_in(&daemon);
}

#[test]
fn a_session_counts_for_the_capacity_until_its_listeners_are_done() {
    let setup = Setup::new().module_with("misbehave", "how = 'sleep'").listen("echo");
    let daemon = setup.host("capacity = 1").exit("listener = '30s'").start();
    comes_in(&daemon).close();
    let busy = Process(daemon.wait_entered("misbehave"));
    daemon.connect().expect("too many sessions");
    busy.signal(Signal::SIGKILL);
    daemon.wait_exit();
    comes_in(&daemon);
}
