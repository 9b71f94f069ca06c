//! What is registered beside listeners and protocols: names, duplicates, order.

use std::time::Duration;

use exeunt_api::abi::Handle;

use super::*;
use crate::events::ModulePlan;

fn registry(modules: &[&str]) -> Registry {
    let mut registry = Registry::new();
    for name in modules {
        registry.begin(module(name));
    }
    registry
}

fn module(name: &str) -> ModulePlan {
    let (version, sha256, file) = (String::new(), String::new(), String::new());
    let listener = Duration::from_secs(5);
    ModulePlan {
        name: name.to_owned(),
        version,
        sha256,
        file,
        listener,
        is_bounded: false,
        may_be_root: false,
        cell: None,
    }
}

#[test]
fn counters_are_numbered_and_named_after_their_module() {
    let mut registry = registry(&["ftp"]);
    assert_eq!(registry.counter("sent", &[]), Ok(0));
    assert_eq!(registry.counter("stored", &["user"]), Ok(1));
    assert_eq!(registry.extras.counters[1].metric, "exeunt_ftp_stored");
}

#[test]
fn what_would_be_no_metric_is_refused_by_name() {
    let mut registry = registry(&["a"]);
    for (name, labels) in
        [("Sent", &[][..]), ("1", &[]), ("", &[]), ("x", &["a-b"]), ("x", &["u", "u"])]
    {
        let refused = registry.counter(name, labels).expect_err("refused");
        assert_eq!(refused.0, status::BAD_ARGUMENT, "{name}");
    }
    let many = ["a", "b", "c", "d", "e"];
    assert_eq!(registry.counter("x", &many).expect_err("refused").0, status::TOO_BIG);
}

#[test]
fn two_modules_cannot_have_the_same_metric() {
    let mut registry = registry(&["a"]);
    registry.counter("b_c", &[]).expect("registered");
    registry.begin(module("a_b"));
    let (code, why) = registry.counter("c", &[]).expect_err("refused");
    assert!(code == status::DUPLICATE && why.contains("module `a` has"), "{why}");
    registry.begin(module("sessions"));
    assert!(registry.counter("ended", &[]).is_err());
}

extern "C" fn nothing(_: *mut std::ffi::c_void, _: Handle) -> i32 {
    status::OK
}

fn callback() -> Callback {
    Callback { call: Some(nothing), user: std::ptr::null_mut() }
}

#[test]
fn hooks_are_found_by_phase_verb_and_class_in_their_order() {
    let mut registry = registry(&["a"]);
    let mut hook = |phase, verb: Option<&str>, classes, name| {
        let pattern = Pattern { verb: verb.map(str::to_owned), classes };
        registry.hook(phase, pattern, name, callback(), |_| true)
    };
    hook(Phase::Pre, None, 3, "class").expect("registered");
    hook(Phase::Pre, Some("RETR"), 0, "verb").expect("registered");
    hook(Phase::Log, None, 0, "any").expect("registered");
    assert_eq!(hook(Phase::Pre, None, 0, "verb").expect_err("twice").0, status::DUPLICATE);
    assert_eq!(hook(Phase::Pre, Some("retr"), 0, "x").expect_err("x").0, status::BAD_ARGUMENT);
    let names = |phase, verb: &str, class| -> Vec<String> {
        registry.extras.hooks(phase, verb, class).map(|hook| hook.name.clone()).collect()
    };
    assert_eq!(names(Phase::Pre, "RETR", 1), ["class", "verb"]);
    assert_eq!(names(Phase::Pre, "STOR", 2), ["class"]);
    assert_eq!(names(Phase::Log, "NOOP", 32), ["any"]);
    assert!(names(Phase::Post, "RETR", 1).is_empty());
}

#[test]
fn a_verb_is_carried_out_by_one_module_and_the_refusal_names_both() {
    let mut registry = registry(&["first"]);
    registry.command("SITE", callback(), |_| true).expect("registered");
    registry.begin(module("second"));
    let (code, why) = registry.command("SITE", callback(), |_| true).expect_err("refused");
    assert_eq!(code, status::DUPLICATE);
    assert!(why.contains("`first`") && why.contains("`second`"), "{why}");
}
