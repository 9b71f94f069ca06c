//! What goes on when a zygote dies, and when the supervisor executes another program.

use crate::harness::*;

/// Kills the zygote and waits until another serves.
fn kill_zygote(daemon: &Daemon) {
    let dead = daemon.zygote();
    kill(dead, Signal::SIGKILL);
    wait_until(|| {
        daemon.zygote() != dead && daemon.json("status")["generations"][0]["state"] == "active"
    });
}

#[test]
fn sessions_before_the_login_end_with_the_zygote_and_their_listeners_run_once() {
    let daemon = three().start();
    let mut client = greeted(&daemon);
    kill_zygote(&daemon);
    client.expect("goodbye: the process");
    client.close();
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, &*exit.outcomes()), ("zygote-lost", "done done done"));
    assert_eq!(daemon.entered(&exit.session), ALL);
    greeted(&daemon);
}

#[test]
fn sessions_after_the_login_go_on_and_their_end_is_seen() {
    let daemon =
        three().listen_with("ftp", "anonymous = true").module_with("ftp", "root = '.'").start();
    let mut client = daemon.connect_to("ftp");
    client.expect("220");
    client.ask("USER ftp", "331");
    client.ask("PASS x", "230");
    kill_zygote(&daemon);
    client.ask("NOOP", "200");
    kill(daemon.session_pid(), Signal::SIGKILL);
    let exit = daemon.wait_exit();
    assert_eq!(exit.cause, "signal");
    assert_eq!(daemon.entered(&exit.session), ALL);
    assert!(exit.sealed);
}

#[test]
fn a_zygote_that_went_on_for_another_and_loses_the_daemon_sees_its_sessions_end() {
    let setup = three().listen_with("ftp", "anonymous = true").module_with("ftp", "root = '.'");
    let mut daemon = setup.start();
    let mut client = daemon.connect_to("ftp");
    client.expect("220");
    client.ask("USER ftp", "331");
    client.ask("PASS x", "230");
    kill_zygote(&daemon);
    let (zygote, session) = (Process(daemon.zygote()), Process(daemon.session_pid()));
    kill(daemon.pid(), Signal::SIGKILL);
    daemon.wait_end();
    wait_until(|| !zygote.is_alive() && !session.is_alive());
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, exit.sealed), ("supervisor-lost", true));
    assert_eq!(daemon.entered(&exit.session), ALL);
}

#[test]
fn a_runner_that_outlives_its_zygote_is_not_doubled() {
    let slow = "event = 'exit'\nhow = 'sleep'";
    let daemon = Setup::new()
        .module("trace_a")
        .module_with("misbehave", slow)
        .module("trace_c")
        .exit("listener = '2s'")
        .listen("echo")
        .start();
    let _client = greeted(&daemon);
    kill(daemon.session_pid(), Signal::SIGKILL);
    daemon.wait_entered("misbehave/misbehave");
    kill_zygote(&daemon);
    let exit = daemon.wait_exit();
    assert_eq!(exit.outcomes(), "done timed-out done");
    assert_eq!(daemon.entered(&exit.session), "trace_a/trace misbehave/misbehave trace_c/trace");
}

#[test]
fn a_zygote_that_cannot_be_started_again_is_shown_without_a_process_and_tried_until_it_can() {
    let daemon = three().start();
    let (kept, away) = (daemon.path("run/modules"), daemon.path("away"));
    std::fs::rename(&kept, &away).expect("moved");
    kill(daemon.zygote(), Signal::SIGKILL);
    wait_until(|| daemon.log().contains("generation 1 is tried again in a second"));
    wait_until(|| daemon.json("status")["generations"][0]["pid"].is_null());
    assert_eq!(daemon.exeunt(&["status"]).status, 0);
    std::fs::rename(&away, &kept).expect("moved back");
    greeted(&daemon);
}

#[test]
fn limits_hold_over_the_death_of_a_zygote() {
    let daemon = three().limits("sessions = 1").listen_with("ftp", "anonymous = true");
    let daemon = daemon.module_with("ftp", "root = '.'").start();
    let mut client = daemon.connect_to("ftp");
    client.expect("220");
    client.ask("USER ftp", "331");
    client.ask("PASS x", "230");
    kill_zygote(&daemon);
    let mut second = daemon.connect();
    second.expect("goodbye: there are too many");
    client.ask("QUIT", "221");
    daemon.wait_exits(2);
    greeted(&daemon);
}

#[test]
fn another_program_takes_the_daemon_over_with_its_sessions() {
    let daemon = three().start();
    let pid = daemon.pid();
    let mut client = greeted(&daemon);
    daemon.signal(Signal::SIGUSR2);
    wait_until(|| daemon.log().contains("goes on with 1 generations"));
    assert_eq!(daemon.json("status")["pid"], pid);
    client.ask("still there", "still there");
    kill(daemon.session_pid(), Signal::SIGKILL);
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, daemon.entered(&exit.session)), ("signal", ALL.to_owned()));
    greeted(&daemon);
}

#[test]
fn another_program_takes_over_although_a_generation_has_just_ended() {
    let daemon = three().start();
    let mut old = greeted(&daemon);
    let zygote = Process(daemon.zygote());
    assert_eq!(daemon.exeunt(&["reload"]).status, 0);
    daemon.signal(Signal::SIGSTOP);
    old.ask("quit", "goodbye");
    old.close();
    wait_until(|| zygote.is_zombie());
    daemon.signal(Signal::SIGUSR2);
    daemon.signal(Signal::SIGCONT);
    wait_until(|| daemon.log().contains("goes on with 2 generations"));
    wait_until(|| daemon.json("status")["generations"].as_array().unwrap().len() == 1);
    greeted(&daemon);
}

#[test]
fn after_another_program_the_daemon_still_reloads_and_ends() {
    let mut daemon = three().start();
    daemon.signal(Signal::SIGUSR2);
    wait_until(|| daemon.log().contains("goes on with 1 generations"));
    assert_eq!(daemon.exeunt(&["reload"]).stdout, "generation 2 serves\n");
    drop(greeted(&daemon));
    assert_eq!(daemon.stop(), 0);
    assert_eq!(daemon.entered("daemon"), ALL);
}

/// Kills the zygote, and stops the one that is to go on before it has begun.
fn kill_zygote_and_stop_the_next(daemon: &Daemon) -> i32 {
    let dead = daemon.zygote();
    kill(dead, Signal::SIGKILL);
    wait_until(|| daemon.zygote() != dead);
    let next = daemon.zygote();
    kill(next, Signal::SIGSTOP);
    next
}

/// Every generation by its number and state.
fn generations(daemon: &Daemon) -> Vec<(u64, String)> {
    let status = daemon.json("status");
    let all = status["generations"].as_array().expect("a list").iter();
    all.map(|g| {
        (g["generation"].as_u64().expect("a number"), g["state"].as_str().expect("a state").into())
    })
    .collect()
}

#[test]
fn a_zygote_that_dies_before_it_has_stopped_accepting_does_not_hold_a_reload_up() {
    let events = "events = ['restart']";
    let daemon = Setup::new().module_with("trace_a", events).listen("echo").start();
    let old = daemon.zygote();
    kill(old, Signal::SIGSTOP);
    daemon.signal(Signal::SIGHUP);
    wait_until(|| daemon.entered("daemon") == "trace_a/restart");
    kill(old, Signal::SIGKILL);
    wait_until(|| generations(&daemon) == [(2, "active".to_owned())]);
    greeted(&daemon);
}

#[test]
fn a_generation_that_was_overtaken_while_its_zygote_was_dead_only_finishes() {
    let daemon = three().start();
    let next = kill_zygote_and_stop_the_next(&daemon);
    assert_eq!(daemon.exeunt(&["reload"]).stdout, "generation 2 serves\n");
    greeted(&daemon);
    kill(next, Signal::SIGCONT);
    wait_until(|| generations(&daemon) == [(2, "active".to_owned())]);
    greeted(&daemon);
}

#[test]
fn a_reload_that_is_refused_while_a_zygote_is_dead_leaves_the_sockets_alone() {
    let daemon = three().start();
    let text = std::fs::read_to_string(daemon.path("modules.toml")).expect("a configuration");
    let next = kill_zygote_and_stop_the_next(&daemon);
    std::fs::write(daemon.path("modules.toml"), format!("{text}[timeouts.idle]\n"))
        .expect("written");
    daemon.signal(Signal::SIGHUP);
    wait_until(|| daemon.log().contains("the reload was refused"));
    std::fs::write(daemon.path("modules.toml"), text).expect("written");
    kill(next, Signal::SIGCONT);
    greeted(&daemon);
}

#[test]
fn a_zygote_that_dies_while_it_takes_over_is_followed_by_one_with_the_same_modules() {
    let setup = Setup::new();
    let own = setup.path("libtrace_a.so");
    std::fs::copy(library("trace_a"), &own).expect("a copy");
    let daemon = setup.module_at("trace_a", &own, "").listen("echo").start();
    let next = kill_zygote_and_stop_the_next(&daemon);
    std::fs::write(&own, "broken").expect("written");
    kill(next, Signal::SIGKILL);
    drop(greeted(&daemon));
    daemon.wait_exit();
    assert!(!daemon.log().contains("cannot be loaded"), "{}", daemon.log());
}
