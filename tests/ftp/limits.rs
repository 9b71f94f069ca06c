//! How many clients are let in, and how often one may try to log in.

use std::net::{Ipv4Addr, SocketAddr};

use super::Tree;
use super::dialogue::Ftp;
use super::sockets::connect_from;
use crate::harness::{Client, Process, Signal};

#[test]
fn a_session_too_many_is_told_and_let_go() {
    let tree = Tree::new();
    let daemon = tree.served_with("").limits("sessions = 1").start();
    let _first = Ftp::connect(&daemon);
    let mut second = Ftp::over(daemon.connect());
    assert_eq!(second.code(), "530");
    second.eof();
    let exit = daemon.wait_exit();
    assert_eq!((exit.cause.as_str(), exit.outcomes().as_str()), ("limit-sessions", "done"));
}

#[test]
fn a_place_is_free_at_once_after_quit() {
    let tree = Tree::new();
    let daemon = tree.served_with("").limits("sessions = 1").start();
    for _ in 0..20 {
        let mut ftp = Ftp::login(&daemon);
        ftp.table(&[("QUIT", "221")]);
    }
    assert!(daemon.wait_exits(20).iter().all(|exit| exit.cause == "client-quit"));
}

#[test]
fn a_place_is_free_at_once_after_a_session_was_killed() {
    let tree = Tree::new();
    let daemon = tree.served_with("").limits("sessions = 1").start();
    for number in 1..=5 {
        let mut ftp = Ftp::login(&daemon);
        Process(daemon.session_pid()).signal(Signal::SIGKILL);
        ftp.eof();
        assert_eq!(daemon.wait_exits(number)[number - 1].cause, "signal");
    }
}

#[test]
fn each_address_has_its_own_number_of_sessions() {
    let tree = Tree::new();
    let daemon = tree.served_with("").limits("sessions_per_address = 1").start();
    let _first = Ftp::connect(&daemon);
    let mut second = Ftp::over(daemon.connect());
    assert_eq!(second.code(), "530");
    second.eof();
    assert_eq!(daemon.wait_exit().cause, "limit-per-address");
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, daemon.port(None)));
    let other = connect_from(Ipv4Addr::new(127, 0, 0, 2), to);
    assert_eq!(Ftp::over(Client::over(other)).code(), "220");
}

#[test]
fn without_a_slot_there_is_no_session_and_no_word_of_it_in_the_journal() {
    let tree = Tree::new();
    let daemon = tree.served_with("").host("capacity = 1").start();
    let mut first = Ftp::login(&daemon);
    let mut second = Ftp::over(daemon.connect());
    assert_eq!(second.code(), "421");
    second.eof();
    first.table(&[("NOOP", "200")]);
    assert!(daemon.exits().is_empty());
}

#[test]
fn of_sixty_at_once_exactly_ten_are_let_in() {
    let tree = Tree::new();
    let daemon = tree.served_with("").limits("sessions = 10").start();
    let clients: Vec<Client> = (0..60).map(|_| daemon.connect()).collect();
    let mut sessions: Vec<Ftp> = clients.into_iter().map(Ftp::over).collect();
    let codes: Vec<String> = sessions.iter_mut().map(Ftp::code).collect();
    let many = |code: &str| codes.iter().filter(|found| *found == code).count();
    assert_eq!((many("220"), many("530")), (10, 50), "{codes:?}");
    assert_eq!(daemon.session_pids().len(), 10);
}

#[test]
fn the_last_attempt_to_log_in_ends_the_session() {
    for (limit, many) in [("login_attempts = 2", 2), ("", 3)] {
        let tree = Tree::new();
        let daemon = tree.served_with("").limits(limit).start();
        let mut ftp = Ftp::connect(&daemon);
        for _ in 0..many {
            ftp.table(&[("USER nosuch", "331"), ("PASS x", "530")]);
        }
        ftp.eof();
        let exit = daemon.wait_exit();
        assert_eq!((exit.cause.as_str(), exit.user), ("limit-login-attempts", None));
    }
}

#[test]
fn whom_a_module_turns_away_gets_no_greeting() {
    let tree = Tree::new();
    let daemon = tree.served_with("").module_with("deny", "reason = 'not you'").start();
    Ftp::over(daemon.connect()).eof();
    let exit = daemon.wait_exit();
    assert_eq!(exit.cause, "access-denied");
    assert!(exit.detail.is_some_and(|detail| detail.contains("not you")));
}
