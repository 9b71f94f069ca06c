//! Files that are not taken for a module. None of their code has run by then.

use std::fs;

use super::altered::{Altered, PF_W, PF_X, PT_GNU_STACK, PT_LOAD, file};
use super::is_refused;
use crate::harness::*;

/// The file for the module `trace_a` is refused for that reason.
#[track_caller]
fn file_is_refused(setup: &Setup, why: &str) {
    let from = setup.path("altered.so");
    let line = format!("module `trace_a` cannot be loaded from {}: {why}", from.display());
    is_refused(setup, &[&line, "modules.toml:", "file = \"altered.so\""]);
}

#[test]
fn a_missing_module_is_refused_with_the_folders_and_the_nearest_name() {
    let setup = Setup::new().module("trace_d").listen("echo");
    let missing = "module `trace_d` cannot be found: no module folder holds libtrace_d.so";
    is_refused(
        &setup,
        &[missing, "looked in /", "there is a module `trace_a`; did you mean that?"],
    );
}

#[test]
fn a_missing_file_is_refused() {
    let setup = Setup::new().module_at("trace_a", "gone.so".as_ref(), "").listen("echo");
    let missing = format!("its file {} cannot be reached", setup.path("gone.so").display());
    is_refused(
        &setup,
        &["module `trace_a` cannot be found", &missing, "No such file or directory"],
    );
}

#[test]
fn a_folder_is_no_module() {
    let setup = Setup::new().file("altered.so/within", "");
    let setup = setup.module_at("trace_a", "altered.so".as_ref(), "").listen("echo");
    file_is_refused(&setup, "it is not a regular file");
}

#[test]
fn what_is_not_elf_is_refused() {
    file_is_refused(&file("trace_a", b"#!/bin/sh\nexit 0\n"), "it is not an ELF file");
    file_is_refused(&file("trace_a", b"\x7fEL"), "it is not an ELF file");
    file_is_refused(&file("trace_a", b""), "it is empty");
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let len = Altered::trace_a().len();
    for size in [4, 5, 63, 64, 100, 4096, len / 2, len - 1] {
        file_is_refused(&Altered::trace_a().cut(size).setup("trace_a"), "it is truncated");
    }
}

#[test]
fn a_file_for_another_machine_is_refused() {
    let sparc = Altered::trace_a().with(18, &[43, 0]);
    file_is_refused(&sparc.setup("trace_a"), "it was built for another machine: machine number 43");
}

#[test]
fn a_32_bit_file_is_refused() {
    let short = Altered::trace_a().with(4, &[1]);
    file_is_refused(&short.setup("trace_a"), "it was built for another machine: a 32-bit one");
}

#[test]
fn a_file_of_the_other_byte_order_is_refused() {
    let other = Altered::trace_a().with(5, &[2]);
    let why = "it was built for another machine: one of the other byte order";
    file_is_refused(&other.setup("trace_a"), why);
}

#[test]
fn an_executable_stack_is_refused() {
    let altered = Altered::trace_a().with_flag(PT_GNU_STACK, 0, PF_X);
    file_is_refused(&altered.setup("trace_a"), "it asks for an executable stack");
}

#[test]
fn memory_that_is_writable_and_executable_is_refused() {
    let why = "it has a segment that is both writable and executable";
    let code = Altered::trace_a().with_flag(PT_LOAD, PF_X, PF_W);
    file_is_refused(&code.setup("trace_a"), why);
    let data = Altered::trace_a().with_flag(PT_LOAD, PF_W, PF_X);
    file_is_refused(&data.setup("trace_a"), why);
}

#[test]
fn a_program_is_no_module() {
    let program = fs::read(env!("CARGO_BIN_EXE_exeunt")).expect("the program can be read");
    let why = "it is a program or an object file, not a shared object";
    file_is_refused(&file("trace_a", &program), why);
}

#[test]
fn a_library_without_an_identity_note_is_refused() {
    let maps = Process(std::process::id().cast_signed()).maps();
    let libc = maps
        .iter()
        .find_map(|line| line.contains("libc.so").then(|| line.find('/'))?.map(|at| &line[at..]));
    let libc = fs::read(libc.expect("the C library is loaded")).expect("it can be read");
    let setup = file("trace_a", &libc);
    file_is_refused(&setup, "it is a shared object, but not a module of exeunt");
    let nameless = Altered::trace_a().with_owner(b"exeumt");
    file_is_refused(
        &nameless.setup("trace_a"),
        "it is a shared object, but not a module of exeunt",
    );
}

#[test]
fn a_module_for_another_interface_is_refused_with_both_versions() {
    for other in ["0.0", "0.2", "1.1"] {
        let altered = Altered::trace_a().with_note("abi=0.1", &format!("abi={other}"));
        let why = format!("it was built for interface {other}, this host offers 0.1");
        file_is_refused(&altered.setup("trace_a"), &why);
    }
}

#[test]
fn a_note_that_cannot_be_read_is_refused() {
    let altered = Altered::trace_a().with_note("abi=", "aba=");
    file_is_refused(&altered.setup("trace_a"), "its identity note is malformed");
}

#[test]
fn another_module_in_the_file_is_refused() {
    let setup = Altered::trace_a().setup("trace_b");
    let hint = "write `name = \"trace_a\"`, or name the right file";
    is_refused(&setup, &["module `trace_b` cannot be", "it holds the module `trace_a`", hint]);
}

#[test]
fn a_note_that_does_not_fit_its_code_is_refused() {
    let altered = Altered::trace_a().with_note("name=trace_a", "name=trace_z");
    let why = "its code bears another name than its identity note";
    is_refused(&altered.setup("trace_z"), &["module `trace_z` cannot be loaded", why]);
}
