//! Commands that ask, and what each exit status means.

use serde_json::{Value, json};

use super::{output, session_id, with_session};
use crate::harness::*;

/// The keys of a JSON object, in order.
fn keys(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn the_exit_status_says_how_it_went() {
    let mut daemon = Setup::new().listen("echo").start();
    assert_eq!(daemon.exeunt(&["status"]).status, 0);
    assert_eq!(daemon.exeunt(&["kick", "17"]).status, 1);
    assert_eq!(daemon.exeunt(&["kick", "nobody"]).status, 2);
    assert_eq!(daemon.exeunt(&["exit", "left"]).status, 2);
    assert_eq!(daemon.stop(), 0);
    assert_eq!(daemon.exeunt(&["status"]).status, 3);
    std::fs::write(daemon.path("modules.toml"), "[hots]").expect("it can be written");
    assert_eq!(daemon.exeunt(&["status"]).status, 4);
}

#[test]
fn without_a_daemon_each_command_names_the_socket() {
    let mut daemon = Setup::new().listen("echo").start();
    daemon.stop();
    let socket = daemon.path("run/control").display().to_string();
    for words in [&["status"][..], &["who"], &["listeners"], &["kick", "1"], &["stop"]] {
        let output = daemon.exeunt(words);
        assert_eq!((output.status, &*output.stdout), (3, ""), "{words:?}: {}", output.text);
        assert!(output.stderr.contains("no daemon is running"), "{}", output.text);
        assert!(output.stderr.contains(&socket), "{socket} is missing in: {}", output.text);
    }
}

#[test]
fn status_tells_the_daemon_its_generation_and_the_modules() {
    let (daemon, _client) = with_session();
    let status = daemon.json("status");
    assert_eq!(status["pid"], daemon.pid());
    assert_eq!(status["config"], json!(daemon.path("modules.toml")));
    assert!(is_time(&status["started"]), "{status}");
    let generation = &status["generations"][0];
    assert_eq!((&generation["state"], &generation["sessions"]), (&json!("active"), &json!(1)));
    let modules = generation["modules"].as_array().expect("modules");
    let names: Vec<_> = modules.iter().map(|module| module["name"].as_str()).collect();
    assert_eq!(names, [Some("trace_b"), Some("trace_a"), Some("echo")]);
    assert_eq!(modules[0]["version"], "0.1.0");
    assert_eq!(modules[0]["sha256"].as_str().expect("a digest").len(), 64);
    let text = daemon.exeunt(&["status"]).stdout;
    assert!(text.contains("generation 1: active"), "{text}");
    assert!(text.contains("1 session\n"), "{text}");
}

#[test]
fn who_tells_a_program_everything_about_a_session() {
    let setup = Setup::new().file("srv/a.txt", "text").module_with("ftp", "root = 'srv'");
    let daemon = setup.listen_with("ftp", "anonymous = true").start();
    let mut client = daemon.connect();
    client.expect("220");
    client.ask("USER anonymous", "331");
    client.ask("PASS secret@", "230");
    assert!(!daemon.exeunt(&["who", "--json"]).stdout.contains("secret"), "no password is shown");
    client.ask("TYPE I", "200");
    client.ask("SIZE a.txt", "213 4");
    let who = daemon.json("who");
    let session = &who["sessions"][0];
    let mut fields = keys(session);
    fields.sort_unstable();
    let mut wanted = [
        "session",
        "pid",
        "generation",
        "listen",
        "protocol",
        "user",
        "peer",
        "started",
        "idle_ms",
        "state",
        "command",
        "path",
        "bytes_in",
        "bytes_out",
    ];
    wanted.sort_unstable();
    assert_eq!(fields, wanted);
    for (field, value) in [("listen", "ftp"), ("protocol", "ftp"), ("user", "anonymous")] {
        assert_eq!(session[field], value, "{session}");
    }
    let peer = client.stream().local_addr().expect("an address").to_string();
    assert_eq!((&session["peer"], &session["state"]), (&json!(peer), &json!("logged-in")));
    assert_eq!((&session["command"], &session["path"]), (&json!("SIZE a.txt"), &json!("/a.txt")));
    assert!(is_time(&session["started"]), "{session}");
    assert!(session["idle_ms"].as_u64().expect("milliseconds") < 20_000, "{session}");
    assert!(session["bytes_in"].as_u64().expect("bytes") > 0, "{session}");
    assert!(Process(session["pid"].as_i64().expect("a pid") as i32).is_alive(), "{session}");
}

#[test]
fn who_lists_a_session_as_long_as_it_is_there() {
    let (daemon, mut client) = with_session();
    let id = session_id(&daemon);
    assert!(daemon.exeunt(&["who"]).stdout.contains(&id));
    let session = &daemon.json("who")["sessions"][0];
    assert_eq!((&session["user"], &session["state"]), (&Value::Null, &json!("connected")));
    client.ask("quit", "goodbye");
    // The entry goes before the farewell is said.
    assert_eq!(daemon.exeunt(&["who"]).stdout, "no session is open\n");
    assert_eq!(daemon.json("who"), json!({ "sessions": [] }));
}

#[test]
fn listeners_shows_the_order_of_the_configuration() {
    let setup = Setup::new().module_with("trace_c", "events = ['connect']").module("trace_a");
    let setup = setup.module_with("hello", "farewell = 'x'").module("trace_b");
    let daemon = setup.listen("echo").start();
    let told = |listeners: &[&str]| -> Vec<Value> {
        let pair = |title: &&str| {
            let (module, listener) = title.split_once('/')?;
            Some(
                json!({ "module": module, "listener": listener, "attempts": 1, "deadline_ms": 5000 }),
            )
        };
        listeners.iter().filter_map(pair).collect()
    };
    let at_exit = |listeners: &[&str]| -> Vec<Value> {
        let mut told = told(listeners);
        told.iter_mut().for_each(|listener| listener["place"] = "session".into());
        told
    };
    let order = ["trace_c/trace", "trace_a/trace", "hello/farewell", "trace_b/trace"];
    let events = json!([
        { "event": "core.connect", "listeners": told(&["trace_c/connect"]) },
        { "event": "core.exit", "listeners": at_exit(&order) },
        { "event": "core.shutdown", "listeners": told(&order) },
    ]);
    assert_eq!(daemon.json("listeners"), json!({ "events": events }));
    let text = daemon.exeunt(&["listeners"]).stdout;
    let exit = "core.exit\n  1  trace_c/trace\n  2  trace_a/trace\n  3  hello/farewell\n  4  trace_b/trace\n";
    assert!(text.contains(exit), "{text}");
}

#[test]
fn a_check_of_a_right_configuration_runs_no_listener_and_binds_nothing() {
    let traced = "events = ['startup', 'connect']";
    let setup = Setup::new().module_with("trace_b", traced).module("trace_a").listen("echo");
    let check = setup.check();
    assert_eq!((check.status, &*check.stderr), (0, ""), "{}", check.text);
    assert!(check.stdout.contains("modules.toml is right"), "{}", check.text);
    let listeners = "core.exit\n  1  trace_b/trace\n  2  trace_a/trace\n";
    assert!(check.stdout.contains(listeners), "{}", check.text);
    assert!(!setup.path("run").exists() && !setup.path("state").exists(), "it made nothing");
    assert_eq!(std::fs::read_to_string(setup.path("trace")).expect("the trace"), "");
}

#[test]
fn a_check_beside_the_daemon_that_runs_is_right_and_changes_nothing() {
    let (daemon, mut client) = with_session();
    // Its address and its lock are taken: a check that bound or locked anything would be refused.
    let check = daemon.json("check");
    assert_eq!(check["modules"][0]["name"], "trace_b");
    assert_eq!(check["events"], daemon.json("listeners")["events"]);
    assert_eq!(daemon.trace(), Vec::<String>::new());
    client.ask("still there", "still there");
}

#[test]
fn the_configuration_may_come_from_the_environment() {
    let daemon = Setup::new().listen("echo").start();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_exeunt"));
    command.arg("status").env("EXEUNT_CONFIG", daemon.path("modules.toml"));
    assert_eq!(output(&mut command).status, 0);
}

/// RFC 3339, UTC, with milliseconds.
fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000Z"
}
