//! What modules may not register. A refused registration refuses the module, whether it looks at the
//! answer or not.

use super::is_refused;
use crate::harness::*;

fn raw(how: &str) -> Setup {
    Setup::new().module_with("raw", &format!("how = '{how}'")).listen("echo")
}

#[test]
fn two_modules_of_one_name_are_refused() {
    let setup = Setup::new().module("trace_a").module("trace_b").module("trace_a").listen("echo");
    let words =
        ["two entries of [[module]] are named `trace_a`", "first here", "remove one of the two"];
    is_refused(&setup, &words);
}

#[test]
fn two_listeners_of_one_name_are_refused() {
    let setup = Setup::new().module_with("misbehave", "how = 'duplicate-listener'").listen("echo");
    let refusal = "the listener `misbehave` for `core.exit` was refused: it is registered twice";
    is_refused(&setup, &["module `misbehave`", refusal]);
}

#[test]
fn a_null_pointer_is_refused_as_a_callback() {
    let why = "the listener `raw` for `core.exit` was refused: its function is a null pointer";
    is_refused(&raw("null-callback"), &["module `raw`", why]);
}

#[test]
fn a_function_of_another_library_is_refused_as_a_callback() {
    let why = "was refused: its function does not lie in the code of `raw`";
    is_refused(&raw("foreign-callback"), &["module `raw`: the listener `raw`", why]);
}

#[test]
fn data_are_refused_as_a_callback() {
    let why = "was refused: its function does not lie in the code of `raw`";
    is_refused(&raw("data-callback"), &["module `raw`: the listener `raw`", why]);
}

#[test]
fn access_to_what_is_not_there_is_refused() {
    let setup = Setup::new().module_with("reach", "write = ['spool/new']").listen("echo");
    let path = setup.path("spool/new").display().to_string();
    let refusal = format!("module `reach`: the access to `{path}` was refused: No such file");
    let hint = "a file that is to be made is declared by its folder";
    is_refused(&setup, &[&refusal, hint]);
}

#[test]
fn too_much_session_state_is_refused() {
    let why = "the session state was refused: it holds at most 256 bytes, and 257 were asked for";
    is_refused(&raw("large-state"), &["module `raw`", why]);
}

#[test]
fn a_listener_for_an_event_that_nobody_declares_is_refused() {
    let events = "events = ['conect', 'no-such-thing']";
    let setup = Setup::new().module_with("trace_a", events).listen("echo");
    let misspelt =
        "no enabled module declares the event `core.conect`; did you mean `core.connect`?";
    let unknown = "no enabled module declares the event `core.no-such-thing`";
    is_refused(&setup, &["module `trace_a`: the listener `conect` was refused", misspelt, unknown]);
}

#[test]
fn a_registration_after_init_is_refused_and_the_daemon_lives() {
    let late = "how = 'late-registration'";
    let daemon = Setup::new().module_with("raw", late).module("trace_a").listen("echo").start();
    for sessions in 1..=2 {
        let mut client = daemon.connect();
        client.expect("hello");
        client.ask("quit", "goodbye");
        client.close();
        let exit = daemon.wait_exits(sessions).remove(sessions - 1);
        assert_eq!(exit.outcomes(), "failed done", "{exit:?}");
        let refusal = format!("error raw {}: a registration was refused: ", exit.session);
        assert!(daemon.log().contains(&refusal), "the log names the module");
    }
    let listeners = daemon.exeunt(&["listeners"]).stdout;
    assert!(!listeners.contains("raw/late"), "{listeners}");
}
