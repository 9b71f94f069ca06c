//! Whose file a module is, whether it is the one that was pinned, and what it needs of the system.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};

use super::altered::file;
use super::is_refused;
use crate::harness::*;

const NOBODY: u32 = 65_534;

/// A daemon to be whose module `trace_a` is a copy in `kept/altered.so`.
fn copied() -> Setup {
    let bytes = fs::read(library("trace_a")).expect("the module was built");
    let setup = Setup::new().file("kept/altered.so", bytes);
    setup.module_at("trace_a", "kept/altered.so".as_ref(), "").listen("echo")
}

fn set_mode(setup: &Setup, name: &str, mode: u32) {
    fs::set_permissions(setup.path(name), Permissions::from_mode(mode)).expect("modes can be set");
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    if !needs_root() {
        return;
    }
    let setup = copied();
    set_mode(&setup, "kept/altered.so", 0o646);
    is_refused(&setup, &["module `trace_a` cannot be", "can be written by others", "mode is 0646"]);
}

#[test]
fn a_folder_that_others_can_write_is_refused_unless_it_is_sticky() {
    if !needs_root() {
        return;
    }
    let setup = copied();
    set_mode(&setup, "kept", 0o777);
    let folder = format!("the folder {} can be written by others", setup.path("kept").display());
    is_refused(&setup, &[&folder, "chmod go-w"]);
    set_mode(&setup, "kept", 0o1777);
    assert_eq!(setup.check().status, 0);
}

#[test]
fn the_file_of_somebody_else_is_refused() {
    if !needs_root() {
        return;
    }
    let setup = copied();
    chown(setup.path("kept/altered.so"), Some(NOBODY), None).expect("root may give away");
    is_refused(&setup, &["belongs to nobody", "root runs only what belongs to root"]);
}

#[test]
fn whoever_owns_the_configuration_may_own_the_modules_and_that_is_said_once() {
    if !needs_root() {
        return;
    }
    let setup = copied();
    for name in ["kept/altered.so", "kept", "modules.toml"] {
        let path = setup.path(name);
        if name == "modules.toml" {
            fs::write(&path, "").expect("a file can be written");
        }
        chown(path, Some(NOBODY), None).expect("root may give away");
    }
    let output = setup.check();
    assert_eq!(output.status, 0, "{}", output.text);
    assert_eq!(output.text.matches("modules of nobody run with root's rights").count(), 1);
}

#[test]
fn whoever_is_not_root_takes_files_of_anybody() {
    let setup = copied().as_nobody();
    set_mode(&setup, "kept/altered.so", 0o646);
    assert_eq!(setup.check().status, 0);
}

#[test]
fn a_name_with_a_path_in_it_is_refused() {
    for name in ["../trace_a", "a/b", ".", ""] {
        let setup = Setup::new().module(name).listen("echo");
        is_refused(&setup, &["`name` must be 1 to 32 of a to z, 0 to 9 or `_`"]);
    }
}

#[test]
fn a_file_that_is_not_the_pinned_one_is_refused() {
    let pin = format!("sha256 = '{}'", "0".repeat(64));
    let setup = Setup::new().module_keyed("trace_a", &pin, "").listen("echo");
    let refusal = is_refused(&setup, &["module `trace_a`: /", "is not what was pinned"]);
    let (_, sum) = refusal.text.split_once("its SHA-256 is ").expect("the sum is shown");
    let pin = format!("sha256 = '{}'", &sum[..64]);
    assert_eq!(Setup::new().module_keyed("trace_a", &pin, "").listen("echo").check().status, 0);
}

#[test]
fn a_missing_pin_is_refused_where_pins_are_required() {
    let setup = Setup::new().host("require_pins = true").module("trace_a").listen("echo");
    let missing = |name| format!("module `{name}` has no `sha256`, and [host] requires one");
    is_refused(&setup, &[&missing("trace_a"), &missing("echo"), "exeunt module pin"]);
}

#[test]
fn a_version_of_the_c_library_that_is_missing_is_named_before_any_code_runs() {
    let mut bytes = fs::read(library("ctor")).expect("the module was built");
    let mut windows = bytes.windows(8);
    let at = windows.position(|bytes| bytes == b"\0GLIBC_2").expect("it needs the C library");
    bytes[at + 7] = b'9';
    let version: Vec<u8> = bytes[at + 1..].iter().copied().take_while(|b| *b != 0).collect();
    let why = format!("it needs {}, which this system's", String::from_utf8_lossy(&version));
    // Its constructor would end the process.
    let setup = file("ctor", &bytes).env("EXEUNT_TEST_CTOR", "exit");
    is_refused(&setup, &[&why, "build it on a system that is not newer than this one"]);
}

#[test]
fn a_library_that_is_missing_is_named_before_any_code_runs() {
    let bytes = fs::read(library("ctor")).expect("the module was built");
    let (from, to) = (b"\0libc.so.6\0", b"\0libq.so.6\0");
    let at = bytes.windows(from.len()).position(|bytes| bytes == from).expect("it needs libc");
    let altered = [&bytes[..at], to, &bytes[at + to.len()..]].concat();
    let setup = file("ctor", &altered).env("EXEUNT_TEST_CTOR", "exit");
    is_refused(&setup, &["it needs the library libq.so.6, which cannot be found"]);
}

#[test]
fn the_environment_does_not_choose_code() {
    let setup = Setup::new().module("trace_a").listen("echo");
    let daemon = setup.env("LD_BIND_NOW", "1").env("MALLOC_TRACE", "/dev/null").start();
    let environ = fs::read(format!("/proc/{}/environ", daemon.zygote())).expect("it can be read");
    let environ = String::from_utf8_lossy(&environ);
    assert!(!environ.contains("LD_BIND_NOW") && !environ.contains("MALLOC_TRACE"), "{environ}");
    assert!(environ.contains("PATH="), "{environ}");
}
