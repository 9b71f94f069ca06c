//! Generations: new sessions run the new code and settings, open ones finish on the old; what does not
//! load changes nothing.

use std::fs;

use serde_json::Value;

use crate::harness::*;

/// Echo, and a listener that says which generation's settings it has.
fn hello() -> Setup {
    Setup::new().module_with("hello", "farewell = 'one'").listen("echo")
}

/// Replaces a part of `modules.toml`.
#[track_caller]
fn edit(daemon: &Daemon, from: &str, to: &str) {
    let path = daemon.path("modules.toml");
    let text = fs::read_to_string(&path).expect("a configuration");
    assert!(text.contains(from), "{from} is not in\n{text}");
    fs::write(path, text.replacen(from, to, 1)).expect("written");
}

#[track_caller]
fn reload(daemon: &Daemon) -> String {
    let output = daemon.exeunt(&["reload"]);
    assert_eq!((output.status, &*output.stderr), (0, ""), "{}", daemon.log());
    output.stdout
}

fn quit(mut client: Client) {
    client.ask("quit", "goodbye");
    client.close();
}

/// Every living generation: its number, state and open sessions.
fn generations(daemon: &Daemon) -> Vec<(u64, String, u64)> {
    let number = |value: &Value| value.as_u64().expect("a number");
    let one = |g: &Value| {
        let state = g["state"].as_str().expect("a state").to_owned();
        (number(&g["generation"]), state, number(&g["sessions"]))
    };
    daemon.json("status")["generations"].as_array().expect("a list").iter().map(one).collect()
}

#[test]
fn open_sessions_finish_on_the_old_settings_and_new_ones_have_the_new() {
    let daemon = hello().start();
    let old = greeted(&daemon);
    edit(&daemon, "'one'", "'two'");
    assert_eq!(reload(&daemon), "generation 2 serves\n");
    let new = greeted(&daemon);
    let (active, retiring) = ("active".to_owned(), "retiring".to_owned());
    assert_eq!(generations(&daemon), [(1, retiring, 1), (2, active.clone(), 1)]);
    quit(old);
    quit(new);
    daemon.wait_exits(2);
    let log = daemon.log();
    assert!(log.contains("-1: one, ") && log.contains("-2: two, "), "{log}");
    wait_until(|| generations(&daemon) == [(2, active.clone(), 0)]);
}

#[test]
fn hup_reloads() {
    let daemon = hello().start();
    daemon.signal(Signal::SIGHUP);
    wait_until(|| generations(&daemon).first().is_some_and(|g| (g.0, &*g.1) == (2, "active")));
    quit(greeted(&daemon));
}

#[test]
fn a_configuration_that_is_wrong_changes_nothing() {
    let daemon = hello().start();
    let mut client = greeted(&daemon);
    edit(&daemon, "farewell", "farewel");
    let refused = daemon.exeunt(&["reload"]);
    assert_eq!(refused.status, 4);
    assert!(refused.stderr.contains("did you mean `farewell`?"), "{}", refused.stderr);
    assert_eq!(generations(&daemon), [(1, "active".to_owned(), 1)]);
    client.ask("still there", "still there");
    quit(greeted(&daemon));
}

#[test]
fn a_module_that_is_broken_changes_nothing_and_the_next_reload_can_mend_it() {
    let daemon = hello().file("own/libtrace_a.so", fs::read(library("trace_a")).expect("a module"));
    let file = daemon.path("own/libtrace_a.so");
    let daemon = daemon.module_at("trace_a", &file, "").start();
    let whole = fs::read(&file).expect("a module");
    for broken in [&whole[..whole.len() / 2], b"nonsense"] {
        fs::write(&file, broken).expect("written");
        let refused = daemon.exeunt(&["reload"]);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        assert!(refused.stderr.contains("module `trace_a` cannot be loaded"), "{}", refused.stderr);
        quit(greeted(&daemon));
    }
    fs::write(&file, whole).expect("written");
    reload(&daemon);
    quit(greeted(&daemon));
}

#[test]
fn the_generation_before_comes_back_with_its_very_modules() {
    let daemon = hello().start();
    assert_eq!(daemon.exeunt(&["reload", "--previous"]).status, 1);
    edit(&daemon, "'one'", "'two'");
    reload(&daemon);
    let output = daemon.exeunt(&["reload", "--previous"]);
    assert_eq!((output.status, &*output.stdout), (0, "generation 3 serves\n"), "{}", output.stderr);
    quit(greeted(&daemon));
    daemon.wait_exits(1);
    assert!(daemon.log().contains(": one, "), "{}", daemon.log());
}

#[test]
fn a_reload_runs_restart_and_the_end_of_a_generation_module_unload() {
    let events = "events = ['startup', 'restart', 'module-unload']";
    let daemon = Setup::new().module_with("trace_a", events).listen("echo").start();
    let open = greeted(&daemon);
    reload(&daemon);
    assert_eq!(daemon.entered("daemon"), "trace_a/startup trace_a/restart");
    quit(open);
    let all = "trace_a/startup trace_a/restart trace_a/module-unload";
    wait_until(|| daemon.entered("daemon") == all);
}

#[test]
fn limits_count_the_sessions_of_all_generations() {
    let daemon = hello().limits("sessions = 2").start();
    let old = greeted(&daemon);
    reload(&daemon);
    let _new = greeted(&daemon);
    let mut third = daemon.connect();
    third.expect("goodbye: there are too many");
    quit(old);
    daemon.wait_exits(2);
    quit(greeted(&daemon));
}

#[test]
fn who_and_kick_reach_every_generation() {
    let daemon = hello().start();
    let mut old = greeted(&daemon);
    reload(&daemon);
    let _new = greeted(&daemon);
    let who = daemon.json("who");
    let mut shown: Vec<u64> = who["sessions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|s| s["generation"].as_u64().unwrap())
        .collect();
    shown.sort_unstable();
    assert_eq!(shown, [1, 2]);
    assert_eq!(daemon.exeunt(&["kick", "1"]).status, 0);
    old.expect("goodbye: an operator");
    assert_eq!(daemon.exeunt(&["kick", "3"]).status, 1);
}

#[test]
fn listens_come_and_go_with_a_reload() {
    let daemon = hello().start();
    let (old, new) = (daemon.port(None), ports::free());
    edit(&daemon, &format!("127.0.0.1:{old}"), &format!("127.0.0.1:{new}"));
    reload(&daemon);
    let mut client = Client::to(("127.0.0.1", new));
    client.expect("hello");
    wait_until(|| std::net::TcpStream::connect(("127.0.0.1", old)).is_err());
}

#[test]
fn with_too_many_generations_the_oldest_ends_its_sessions() {
    let daemon = hello().reload("generations = 2").start();
    let mut first = greeted(&daemon);
    reload(&daemon);
    let _second = greeted(&daemon);
    reload(&daemon);
    first.expect("goodbye: an operator");
    quit(greeted(&daemon));
}

#[test]
fn a_reload_cannot_move_the_runtime_directory() {
    let daemon = hello().start();
    edit(&daemon, "runtime_dir = \"run\"", "runtime_dir = \"other\"");
    daemon.signal(Signal::SIGHUP);
    let text = "the runtime_dir of a running daemon cannot change";
    wait_until(|| daemon.log().contains(text));
}
