//! How many may be logged in: exactly as many as allowed, whichever generation serves them, and when a
//! place is free again.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use super::Tree;
use super::dialogue::Ftp;
use super::sockets::connect_from;
use crate::harness::{Client, Daemon, Process, Setup, Signal, wait_until};

/// A daemon that traces the end for a limit on logins, and knows a second user.
fn served(tree: &Tree, limits: &str) -> Setup {
    let events = "events = ['limit-logins']";
    tree.served_with("").module_with("trace_a", events).module("hooks").limits(limits)
}

/// A client that has said who it is, and not proved it.
fn claims(daemon: &Daemon) -> Ftp {
    let mut ftp = Ftp::connect(daemon);
    ftp.table(&[("USER anonymous", "331")]);
    ftp
}

/// All of them prove at once who they are; those that are let in.
fn log_in_at_once(clients: Vec<Ftp>) -> Vec<Ftp> {
    let one = |mut ftp: Ftp| match ftp.ask("PASS guest@")[0].get(..3) {
        Some("230") => Some(ftp),
        code => {
            assert_eq!(code, Some("530"));
            ftp.eof();
            None
        }
    };
    let threads: Vec<_> = clients.into_iter().map(|ftp| thread::spawn(move || one(ftp))).collect();
    threads.into_iter().filter_map(|thread| thread.join().expect("an answer")).collect()
}

#[track_caller]
fn reload(daemon: &Daemon) {
    let output = daemon.exeunt(&["reload"]);
    assert_eq!(output.status, 0, "{}", output.text);
}

#[track_caller]
fn is_refused(mut ftp: Ftp, user: &str, secret: &str) {
    ftp.table(&[(&format!("USER {user}"), "331"), (&format!("PASS {secret}"), "530 Too many")]);
    ftp.eof();
}

#[test]
fn of_sixty_logins_at_once_exactly_ten_are_admitted() {
    let tree = Tree::new();
    let daemon = served(&tree, "logins = 10").start();
    let admitted = log_in_at_once((0..60).map(|_| claims(&daemon)).collect());
    assert_eq!(admitted.len(), 10);
    for exit in daemon.wait_exits(50) {
        assert_eq!((&*exit.cause, exit.detail.as_deref()), ("limit-logins", Some("logins 10")));
        assert_eq!(exit.user, None);
        assert_eq!(daemon.entered(&exit.session), "trace_a/limit-logins trace_a/trace");
    }
    let metrics = daemon.exeunt(&["status", "--metrics"]).stdout;
    let line = "exeunt_sessions_refused_total{reason=\"limit-logins\"} 50";
    assert!(metrics.contains(line), "{metrics}");
}

#[test]
fn so_they_are_when_they_are_spread_over_four_generations() {
    let tree = Tree::new();
    let daemon = served(&tree, "logins = 10").start();
    let mut clients = Vec::new();
    for generation in 1..=4 {
        clients.extend((0..15).map(|_| claims(&daemon)));
        if generation < 4 {
            reload(&daemon);
        }
    }
    let admitted = log_in_at_once(clients);
    assert_eq!(admitted.len(), 10);
    assert!(daemon.wait_exits(50).iter().all(|exit| exit.cause == "limit-logins"));
    drop(admitted);
    daemon.wait_exits(60);
    assert_eq!(log_in_at_once((0..20).map(|_| claims(&daemon)).collect()).len(), 10);
}

#[test]
fn a_place_is_free_at_once_when_a_client_quits_or_its_session_is_killed() {
    let tree = Tree::new();
    let daemon = served(&tree, "logins = 1").start();
    for round in 0..20 {
        let mut ftp = Ftp::login(&daemon);
        is_refused(Ftp::connect(&daemon), "anonymous", "guest@");
        let session = Process(daemon.session_pid());
        if round % 2 == 0 {
            ftp.table(&[("QUIT", "221")]);
        } else {
            session.signal(Signal::SIGKILL);
            ftp.eof();
            // The kernel closes the connection a moment before the process is dead.
            wait_until(|| !session.is_alive());
        }
    }
}

#[test]
fn a_place_in_an_older_generation_is_free_when_its_session_is_killed() {
    let tree = Tree::new();
    let daemon = served(&tree, "logins = 1").start();
    for round in 1..=5 {
        let _old = Ftp::login(&daemon);
        let session = Process(daemon.session_pid());
        reload(&daemon);
        is_refused(Ftp::connect(&daemon), "anonymous", "guest@");
        session.signal(Signal::SIGKILL);
        daemon.wait_exits(round * 2);
    }
    Ftp::login(&daemon);
}

#[test]
fn logins_count_on_when_their_zygote_is_killed() {
    let tree = Tree::new();
    let daemon = served(&tree, "logins = 2").start();
    let (first, _second) = (Ftp::login(&daemon), Ftp::login(&daemon));
    let zygote = daemon.zygote();
    Process(zygote).signal(Signal::SIGKILL);
    wait_until(|| daemon.json("status")["generations"][0]["pid"] != zygote);
    is_refused(Ftp::connect(&daemon), "anonymous", "guest@");
    first.close();
    daemon.wait_exits(2);
    let _third = Ftp::login(&daemon);
    is_refused(Ftp::connect(&daemon), "anonymous", "guest@");
}

#[test]
fn a_user_has_its_own_limit() {
    let tree = Tree::new();
    let daemon = served(&tree, "logins_per_user = 1").start();
    let _anonymous = Ftp::login(&daemon);
    is_refused(Ftp::connect(&daemon), "anonymous", "guest@");
    let exit = daemon.wait_exit();
    let detail = Some("logins_per_user 1 for anonymous");
    assert_eq!((&*exit.cause, exit.detail.as_deref()), ("limit-logins", detail));
    let mut guest = Ftp::connect(&daemon);
    guest.table(&[("USER guest", "331"), ("PASS welcome", "230")]);
    is_refused(Ftp::connect(&daemon), "guest", "welcome");
}

#[test]
fn an_address_has_its_own_limit() {
    let tree = Tree::new();
    let daemon = served(&tree, "logins_per_address = 1").start();
    let _first = Ftp::login(&daemon);
    is_refused(Ftp::connect(&daemon), "guest", "welcome");
    let exit = daemon.wait_exit();
    let detail = Some("logins_per_address 1 for 127.0.0.1");
    assert_eq!((&*exit.cause, exit.detail.as_deref()), ("limit-logins", detail));
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, daemon.port(None)));
    let other = connect_from(Ipv4Addr::new(127, 0, 0, 2), to);
    let mut other = Ftp::over(Client::over(other));
    assert_eq!(other.code(), "220");
    other.table(&[("USER guest", "331"), ("PASS welcome", "230")]);
}

#[test]
fn a_login_that_failed_takes_no_place() {
    let tree = Tree::new();
    let daemon = served(&tree, "logins = 1").start();
    let mut ftp = Ftp::connect(&daemon);
    ftp.table(&[("USER guest", "331"), ("PASS wrong", "530")]);
    let _other = Ftp::login(&daemon);
    ftp.table(&[("USER guest", "331"), ("PASS welcome", "530 Too many")]);
    ftp.eof();
}

#[test]
fn who_asks_in_the_name_of_others_or_twice_changes_nothing() {
    let tree = Tree::new();
    let hostile = "event = 'login'\nhow = 'ask'";
    let daemon = served(&tree, "logins = 3").module_with("misbehave", hostile).start();
    let open = [(); 3].map(|()| Ftp::login(&daemon));
    assert!(!daemon.log().contains("failed"), "{}", daemon.log());
    for _ in 0..3 {
        is_refused(Ftp::connect(&daemon), "anonymous", "guest@");
    }
    drop(open);
    daemon.wait_exits(6);
    let _open = [(); 3].map(|()| Ftp::login(&daemon));
    is_refused(Ftp::connect(&daemon), "anonymous", "guest@");
}

/// Whoever hears 230 has a place, or its session ends for the zygote; never more than allowed.
#[test]
fn a_zygote_that_is_killed_among_logins_lets_nobody_in_too_much() {
    let tree = Tree::new();
    let daemon = served(&tree, "logins = 10").start();
    for _ in 0..5 {
        let clients: Vec<_> = (0..30).map(|_| claims(&daemon)).collect();
        let zygote = daemon.zygote();
        let mut clients = clients.into_iter();
        let first = clients.next().expect("a client");
        let threads: Vec<_> =
            clients.map(|mut ftp| thread::spawn(move || (ftp.tries("PASS x"), ftp).1)).collect();
        Process(zygote).signal(Signal::SIGKILL);
        let clients: Vec<_> = threads.into_iter().map(|one| one.join().expect("tried")).collect();
        drop(first);
        wait_until(|| daemon.json("status")["generations"][0]["pid"] != zygote);
        wait_until(|| users(&daemon).iter().all(|user| *user == "anonymous"));
        let there = users(&daemon).len();
        assert!(there <= 10, "{there}");
        let more = log_in_at_once((0..20).map(|_| claims(&daemon)).collect());
        assert_eq!(there + more.len(), 10);
        drop((clients, more));
        wait_until(|| users(&daemon).is_empty());
    }
}

/// The users of the sessions that are open.
fn users(daemon: &Daemon) -> Vec<String> {
    let who = daemon.json("who");
    let sessions = who["sessions"].as_array().expect("sessions").iter();
    sessions.map(|session| session["user"].as_str().unwrap_or_default().to_owned()).collect()
}
