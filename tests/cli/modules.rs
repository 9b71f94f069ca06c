//! `exeunt module`: what files say, which modules there are, and their pins.

use std::fs;

use crate::harness::*;

fn started() -> Daemon {
    let setup = Setup::new().module_keyed("trace_a", "enabled = true # the first", "");
    setup.module_keyed("trace_b", "enabled = false", "").listen("echo").start()
}

fn path(module: &str) -> String {
    library(module).to_str().expect("a path").to_owned()
}

#[test]
fn a_file_says_what_it_holds() {
    let daemon = started();
    let output = daemon.exeunt(&["module", "info", &path("trace_a"), "--json"]);
    assert_eq!(output.status, 0, "{}", output.text);
    let info: serde_json::Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    assert_eq!((&info["name"], &info["interface"]), (&"trace_a".into(), &"0.1".into()));
    assert_eq!(info["settings"][0]["name"], "trace");
    let words = daemon.exeunt(&["module", "info", &path("trace_a")]).stdout;
    assert!(words.contains("\nsettings\n  trace "), "{words}");
}

#[test]
fn a_file_that_would_not_be_taken_has_status_4() {
    let daemon = started();
    let right = daemon.exeunt(&["module", "check", &path("trace_a")]);
    assert_eq!(right.status, 0, "{}", right.text);
    assert!(right.stdout.ends_with("is right: it holds the module `trace_a`\n"), "{}", right.text);
    let wrong = daemon.exeunt(&["module", "check", daemon.path("log").to_str().expect("a path")]);
    assert_eq!((wrong.status, &*wrong.stdout), (4, ""));
    assert!(wrong.stderr.contains("cannot be taken: it is not an ELF file"), "{}", wrong.text);
}

#[test]
fn modules_are_listed_in_order_and_the_unused_ones_after_them() {
    let modules = started().exeunt(&["module", "list", "--json"]).stdout;
    let modules: serde_json::Value = serde_json::from_str(&modules).expect("it is JSON");
    let modules = modules["modules"].as_array().expect("a list");
    let word = |of: &serde_json::Value, key: &str| of[key].as_str().expect("text").to_owned();
    let states: Vec<String> =
        modules.iter().map(|m| format!("{} {}", word(m, "name"), word(m, "state"))).collect();
    assert_eq!(states[..3], ["trace_a enabled", "trace_b disabled", "echo enabled"]);
    assert!(states[3..].contains(&"trace_c unused".to_owned()), "{states:?}");
}

#[test]
fn a_pin_is_written_and_nothing_else_changes() {
    let daemon = started();
    let file = daemon.path("modules.toml");
    let before = fs::read_to_string(&file).expect("it is there");
    let output = daemon.exeunt(&["module", "pin"]);
    assert_eq!(output.status, 0, "{}", output.text);
    let after = fs::read_to_string(&file).expect("it is there");
    let unpinned: Vec<&str> = after.lines().filter(|l| !l.starts_with("sha256 = \"")).collect();
    assert_eq!(unpinned, before.lines().collect::<Vec<_>>());
    assert_eq!(after.lines().count(), before.lines().count() + 2, "two modules are enabled");
    assert_eq!(daemon.exeunt(&["check"]).status, 0);
    let again = daemon.exeunt(&["module", "pin", "trace_a"]);
    assert!(again.stdout.starts_with("trace_a  ") && again.stdout.ends_with("unchanged\n"));
}

#[test]
fn what_is_not_there_cannot_be_pinned() {
    let output = started().exeunt(&["module", "pin", "gopher"]);
    assert_eq!(output.status, 1);
    assert!(output.stderr.contains("there is no module `gopher`"), "{}", output.text);
}

#[test]
fn a_module_is_tried_in_a_process_of_its_own() {
    let daemon = started();
    let check = |module: &str, set: &[&str]| {
        let file = path(module);
        daemon.exeunt(&[&["module", "check", &file, "--run"], set].concat())
    };
    let right = check("hello", &["--set", "farewell=so long"]);
    assert_eq!(right.status, 0, "{}", right.text);
    assert!(right.stdout.contains("core.exit\n  1  hello/farewell\n"), "{}", right.text);
    let missing = check("hello", &[]);
    assert_eq!(missing.status, 4, "{}", missing.text);
    assert!(missing.stderr.contains("farewell"), "{}", missing.text);
    let crashing = check("misbehave", &["--set", "event=init", "--set", "how=null-write"]);
    assert_eq!(crashing.status, 4, "{}", crashing.text);
    let why = "the module was running its init when the process ended (SIGSEGV)";
    assert!(crashing.stderr.contains(why), "{}", crashing.text);
    let leaving = check("misbehave", &["--set", "event=init", "--set", "how=thread"]);
    assert!(leaving.stderr.contains("its init left a thread behind"), "{}", leaving.text);
}
