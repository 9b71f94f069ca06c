//! Modules that are written in C: beside those in Rust, after the death of a session, and what is
//! refused of them. They are built here, as their authors would, with the one line of
//! docs/c-modules.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::*;

fn sources() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository")
}

/// Builds a module in the scratch folder of a daemon to be; nothing if there is no C compiler.
fn built(setup: &Setup, source: &str, options: &[&str]) -> Option<PathBuf> {
    if !needs("cc") {
        return None;
    }
    let library = setup.path("built.so");
    let mut command = Command::new("cc");
    command.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]);
    command.arg("-I").arg(sources().join("plugin-api/include")).args(options);
    let done = command.arg("-o").arg(&library).arg(sources().join(source)).output();
    let done = done.expect("the compiler can be run");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(library)
}

/// The next module: greeter, the example of the documents.
fn with_greeter(setup: Setup, config: &str) -> Option<Setup> {
    let file = built(&setup, "docs/examples/c/greeter.c", &[])?;
    let trace = format!("trace = '{}'\n{config}", setup.path("trace").display());
    Some(setup.module_at("greeter", &file, &trace))
}

/// A daemon to be with the module that has this fault.
fn faulty(fault: &str, options: &[&str]) -> Option<Setup> {
    let setup = Setup::new();
    let fault = format!("-DFAULT={fault}");
    let file = built(&setup, "tests/c/faulty.c", &[&[&*fault], options].concat())?;
    Some(setup.module_at("faulty", &file, "").listen("echo"))
}

/// The module with this fault is refused, and that is said.
#[track_caller]
fn is_refused(fault: &str, options: &[&str], why: &str) {
    let Some(setup) = faulty(fault, options) else { return };
    let output = setup.check();
    assert_eq!(output.status, 4, "{}", output.text);
    assert!(output.text.contains("`faulty`"), "{}", output.text);
    assert!(output.text.contains(why), "{why}\nis not in\n{}", output.text);
}

fn served() -> Option<Daemon> {
    let setup = with_greeter(Setup::new().module("trace_a"), "")?;
    let root = format!("root = '{}'", sources().join("tests/srv").display());
    let setup = setup.module("trace_b").module_with("ftp", &root);
    Some(setup.listen_with("ftp", "anonymous = true").start())
}

fn logged_in(daemon: &Daemon) -> Client {
    let mut client = daemon.connect();
    client.expect("220");
    client.ask("USER ftp", "331");
    client.ask("PASS me@example.org", "230");
    client
}

#[test]
fn listeners_in_c_run_in_order_with_those_in_rust() {
    let Some(mut daemon) = served() else { return };
    logged_in(&daemon).ask("QUIT", "221");
    let exit = daemon.wait_exit();
    assert_eq!(daemon.entered(&exit.session), "trace_a/trace greeter/goodbye trace_b/trace");
    assert_eq!(
        (&*exit.outcomes(), &*exit.by()),
        ("done done done done", "session session session session")
    );
    assert_eq!(daemon.stop(), 0);
    assert_eq!(daemon.entered("daemon"), "trace_a/trace greeter/goodbye trace_b/trace");
    assert!(daemon.log().contains("hello, and goodbye"), "{}", daemon.log());
}

#[test]
fn what_a_module_in_c_knew_of_a_session_outlives_its_process() {
    let Some(daemon) = served() else { return };
    let _client = logged_in(&daemon);
    let session = Process(daemon.session_pid());
    session.signal(Signal::SIGKILL);
    let exit = daemon.wait_exit();
    assert_eq!(exit.by(), "runner runner runner runner");
    let trace = daemon.trace();
    let line = trace.iter().find(|line| line.starts_with("greeter/")).expect("it was entered");
    assert!(line.ends_with("cause=signal live=0 logins=1 last=anonymous"), "{line}");
    let pid = format!(" {} ", session.0);
    assert!(!line.contains(&pid), "another process ran it: {line}");
}

#[test]
fn a_wrong_setting_of_a_module_in_c_is_shown_at_its_place() {
    let Some(setup) = with_greeter(Setup::new(), "greetings = 'hi'\ngreeting = 7") else { return };
    let output = setup.listen("echo").check();
    assert_eq!(output.status, 4, "{}", output.text);
    for part in
        ["unknown key", "the keys are `greeting` and `trace`", "must be a string", "greeting = 7"]
    {
        assert!(output.text.contains(part), "{part}\nis not in\n{}", output.text);
    }
}

#[test]
fn a_sound_module_in_c_is_right() {
    let Some(setup) = faulty("SOUND", &[]) else { return };
    let output = setup.check();
    assert_eq!(output.status, 0, "{}", output.text);
    assert!(output.text.contains("faulty/agree"), "{}", output.text);
}

#[test]
fn a_header_in_c_that_is_not_right_is_refused() {
    is_refused("WRONG_MAGIC", &[], "its header is malformed: it does not begin with EXEUNT_MAGIC");
    is_refused("OTHER_INTERFACE", &[], "it was built for interface 0.7, this host offers 0.1");
    is_refused("OTHER_CODE", &[], "its code was built for interface 0.7");
    is_refused("OTHER_NAME", &[], "its code bears another name than its identity note");
    is_refused("NULL_INIT", &[], "its init function is a null pointer");
    is_refused("FOREIGN_INIT", &[], "its init function does not lie in its own code");
}

#[test]
fn a_header_in_c_may_grow_and_not_shrink() {
    let Some(setup) = faulty("SOUND", &[]) else { return };
    let mut bytes = fs::read(setup.path("built.so")).expect("it was built");
    let magic = 0x6578_6575_6e74_0a01_u64.to_le_bytes();
    let at = bytes.windows(8).rposition(|bytes| bytes == magic).expect("its header") + 8;
    for (size, status) in [(4096_u32, 0), (16, 4)] {
        bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
        fs::write(setup.path("built.so"), &bytes).expect("it can be written");
        let output = setup.check();
        assert_eq!(output.status, status, "{}", output.text);
    }
}

#[test]
fn a_registration_in_c_that_is_not_right_is_refused() {
    is_refused("NULL_LISTENER", &[], "its function is a null pointer");
    is_refused("FOREIGN_LISTENER", &[], "its function does not lie in the code of `faulty`");
    is_refused("TWICE", &[], "it is registered twice");
    is_refused("WRONG_EVENT", &[], "did you mean `core.exit`?");
    is_refused("SILENT_FAILURE", &[], "its init failed: failed with status -1");
}

#[test]
fn a_registration_after_init_is_refused() {
    let Some(setup) = faulty("LATE", &[]) else { return };
    let daemon = setup.start();
    daemon.connect().close();
    let exit = daemon.wait_exit();
    assert_eq!(exit.outcomes(), "failed");
    assert_eq!(exit.listeners[0].error.as_deref(), Some("it was too late"));
    assert!(daemon.log().contains("callbacks are registered once, during init"));
}

#[test]
fn a_library_that_was_linked_dangerously_is_refused() {
    is_refused("SOUND", &["-Wl,-z,execstack"], "it asks for an executable stack");
    is_refused("TEXT_RELOCATION", &["-Wl,-z,notext"], "(text relocations)");
}

#[test]
fn what_init_leaves_behind_is_refused_by_name() {
    is_refused("DESCRIPTOR", &[], "module `faulty`: its init left descriptor ");
    is_refused("DESCRIPTOR", &[], "it leads to /dev/null");
    is_refused("HANDLER", &[], "module `faulty`: its init left a signal handler behind: SIGUSR1");
    is_refused("MASK", &[], "module `faulty`: its init changed the signal mask: SIGWINCH");
    is_refused("UMASK", &[], "module `faulty`: its init changed the umask");
    is_refused("FOLDER", &[], "module `faulty`: its init changed the working directory");
    is_refused("RESOURCE", &[], "module `faulty`: its init changed a resource limit");
}

#[test]
fn the_module_of_the_documents_is_built_checked_and_run() {
    let page = include_str!("../docs/c-modules.md");
    let block = page.split_once("```c\n").and_then(|(_, rest)| rest.split_once("\n```"));
    let source = format!("{}\n", block.expect("the page has a module").0);
    let setup = Setup::new().file("farewell.c", source);
    let source = setup.path("farewell.c");
    let Some(file) = built(&setup, source.to_str().expect("a path"), &[]) else { return };
    let daemon = setup.module_at("farewell", &file, "").listen("echo").start();
    daemon.connect().close();
    let exit = daemon.wait_exit();
    assert_eq!(exit.outcomes(), "done");
    let line = format!("farewell, {} (client-eof)", exit.session);
    assert!(daemon.log().contains(&line), "{}", daemon.log());
}
