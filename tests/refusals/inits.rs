//! Modules whose init or constructor fails, or ends the process that runs it. What is refused then is
//! the start: the supervisor survives to say which module it was.

use super::{is_refused, left_nothing_behind, says};
use crate::harness::*;

fn init_that(how: &str) -> Setup {
    let config = format!("event = 'init'\nhow = '{how}'\ntrace = '/dev/null'");
    Setup::new().module("trace_a").module_with("misbehave", &config).listen("echo")
}

#[test]
fn an_error_in_init_refuses_the_module_with_its_text() {
    is_refused(&init_that("error"), &["module `misbehave`: its init failed: told to fail"]);
}

#[test]
fn a_panic_in_init_refuses_the_module_with_place_and_text() {
    let panicked = "module `misbehave`: its init failed: panicked at ";
    is_refused(&init_that("panic"), &[panicked, "deed.rs:", ": told to panic"]);
}

#[test]
fn a_thread_that_init_leaves_behind_refuses_the_module() {
    let why = "module `misbehave`: its init left a thread behind";
    is_refused(&init_that("thread"), &[why, "a fork has only the thread that forked"]);
}

#[test]
fn an_init_that_ends_the_process_is_named() {
    for how in ["exit", "exit-now", "execve"] {
        let ended =
            "the init of module `misbehave` was running when the process ended (exit status 0)";
        is_refused(&init_that(how), &[ended, "enabled = false"]);
    }
}

#[test]
fn an_init_that_crashes_is_named_with_the_signal() {
    let crashes = ["null-write", "wild-jump", "stack-overflow"].map(|how| (how, "SIGSEGV"));
    for (how, signal) in crashes.into_iter().chain([("abort", "SIGABRT")]) {
        let ended = "the init of module `misbehave` was running when the process ended";
        is_refused(&init_that(how), &[ended, signal]);
    }
}

#[test]
fn an_init_that_closes_all_descriptors_is_named() {
    is_refused(&init_that("close-all"), &["the init of module `misbehave` was running"]);
}

#[test]
fn what_a_refused_init_forked_ends_with_it() {
    let setup = init_that("fork-holding").module("no_such_module");
    assert_eq!(setup.refused().status, 4);
    left_nothing_behind(&setup);
    assert_eq!(setup.check().status, 4);
    left_nothing_behind(&setup);
}

#[test]
fn a_constructor_that_ends_the_process_is_named() {
    for (how, fate) in [("exit", "exit status 0"), ("crash", "SIGABRT")] {
        let setup = Setup::new().module("ctor").listen("echo").env("EXEUNT_TEST_CTOR", how);
        is_refused(&setup, &["module `ctor` was being loaded when the process ended", fate]);
    }
}

#[test]
fn an_init_that_hangs_is_named_after_the_time_that_a_start_may_take() {
    // Long enough to come as far as that module on a busy machine.
    let setup = init_that("sleep").reload("ready = '3s'");
    is_refused(&setup, &["the init of module `misbehave` was running", "[reload] ready"]);
}

#[test]
fn a_changed_folder_or_umask_refuses_the_module() {
    let why = "module `misbehave`: its init changed the working directory";
    is_refused(&init_that("chdir"), &[why, "and is /proc"]);
    is_refused(&init_that("umask"), &["module `misbehave`: its init changed the umask", "is 0123"]);
}

#[test]
fn a_constructor_that_does_nothing_is_no_reason_to_refuse() {
    let output = Setup::new().module("ctor").listen("echo").check();
    assert_eq!(output.status, 0, "{}", output.text);
}

#[test]
fn no_listener_of_the_modules_before_runs_when_a_later_one_is_refused() {
    let traced = "events = ['startup']";
    let setup = Setup::new().module_with("trace_a", traced).module("no_such_module").listen("echo");
    // That the trace stays empty is part of it.
    let refusal = is_refused(&setup, &["module `no_such_module` cannot be found"]);
    says(&refusal, &["1 problem in"]);
}
