//! Loading the modules that cargo built beside this test; what goes wrong is patched into a copy.

use std::ffi::c_void;
use std::fs;
use std::path::{Path, PathBuf};

use exeunt_api::abi::{Callback, Handle, ProtocolTable, Str, status};

use super::{Entry, Loaded, Refusal, call, farewell, load, serve};
use crate::modules::stage;

/// The module that most tests load; a development dependency of this crate.
const NAME: &str = "raw";

fn built() -> PathBuf {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    deps.join(format!("lib{NAME}.so"))
}

fn loaded_from(path: &Path) -> Result<Loaded, Refusal> {
    load(stage(NAME, path, None).unwrap())
}

/// Loads a copy in which every `from` is `to`, of the same length.
fn loaded_with(from: &str, to: &str) -> Result<Loaded, Refusal> {
    let (_dir, path) = copy_with(from, to);
    loaded_from(&path)
}

fn copy_with(from: &str, to: &str) -> (tempfile::TempDir, PathBuf) {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read(built()).unwrap();
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from.as_bytes()))
        .collect();
    assert!(!places.is_empty(), "{from:?} does not occur");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy.so");
    fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn refused_with(from: &str, to: &str) -> String {
    let message = loaded_with(from, to).err().unwrap().message;
    message.split_once(": ").unwrap().1.to_owned()
}

fn init_of(loaded: &Loaded) -> usize {
    match loaded.entry {
        Entry::Rust(root) => root.init() as usize,
        Entry::C(init) => init as usize,
    }
}

/// A callback that stores the handle's index where `user` points to.
unsafe extern "C" fn keep_index(user: *mut c_void, about: Handle) -> i32 {
    // SAFETY: the tests pass a pointer to a number of their own.
    unsafe { user.cast::<u32>().write(about.index) };
    42
}

#[test]
fn a_module_is_loaded_with_its_name_and_version() {
    let loaded = loaded_from(&built()).ok().unwrap();
    assert_eq!(loaded.version, "0.1.0");
    assert_eq!(loaded.sha256.len(), 64);
}

#[test]
fn the_same_file_loaded_twice_lies_in_two_places() {
    let (one, two) = (loaded_from(&built()).ok().unwrap(), loaded_from(&built()).ok().unwrap());
    assert!(one.code.iter().all(|range| !two.holds_code(range.start)));
}

#[test]
fn only_addresses_in_its_own_code_are_the_modules_own() {
    let (loaded, other) =
        (loaded_from(&built()).ok().unwrap(), loaded_from(&built()).ok().unwrap());
    assert!(loaded.holds_code(init_of(&loaded)));
    assert!(!loaded.holds_code(init_of(&other)));
    assert!(!loaded.holds_code(libc::getpid as *const () as usize));
    assert!(!loaded.holds_code(loaded.code[0].end));
    assert!(!loaded.holds_code(0));
}

#[test]
fn a_callback_gets_what_was_registered_with_it_and_its_status_comes_back() {
    let mut seen = 0_u32;
    let callback = Callback { call: Some(keep_index), user: (&raw mut seen).cast() };
    assert_eq!(call(&callback, Handle { index: 7, generation: 1 }), 42);
    assert_eq!(seen, 7);
    assert_eq!(call(&Callback { call: None, ..callback }, Handle::NONE), status::BAD_ARGUMENT);
}

#[test]
fn a_protocol_without_a_farewell_has_none() {
    let mut seen = 0_u32;
    let table = ProtocolTable {
        serve: Some(keep_index),
        farewell: None,
        user: (&raw mut seen).cast(),
        refusal: Str::NONE,
    };
    let handle = Handle { index: 9, generation: 1 };
    assert_eq!((serve(&table, handle), seen), (42, 9));
    assert_eq!(farewell(&table, handle), status::NONE);
    assert_eq!(farewell(&ProtocolTable { farewell: Some(keep_index), ..table }, handle), 42);
}

#[test]
fn a_library_that_is_missing_is_named() {
    assert_eq!(
        refused_with("\0libc.so.6\0", "\0libq.so.6\0"),
        "it needs the library libq.so.6, which cannot be found"
    );
}

#[test]
fn a_symbol_that_is_missing_is_named() {
    assert_eq!(
        refused_with("\0memmove\0", "\0memwove\0"),
        "it needs the symbol memwove, which no library provides"
    );
}

#[test]
fn a_module_without_its_header_is_refused() {
    assert_eq!(
        refused_with("\0exeunt_module_header\0", "\0exeunt_module_folder\0"),
        "it does not export exeunt_module_header, nor exeunt_module as C modules do"
    );
}

#[test]
fn a_name_in_the_code_that_differs_from_the_note_is_refused() {
    let (_dir, path) = copy_with("\nname=raw\n", "\nname=rat\n");
    let refusal = load(stage("rat", &path, None).unwrap()).err().unwrap();
    assert!(refusal.message.ends_with("its code bears another name than its identity note"));
}

#[test]
fn another_abi_stable_is_refused() {
    let magic = std::str::from_utf8(&abi_stable::library::AbiHeader::VALUE.magic_string).unwrap();
    let other = magic.replacen(&magic[..4], "____", 1);
    let refusal = loaded_with(magic, &other).err().unwrap();
    assert!(refusal.message.contains("another abi_stable"), "{}", refusal.message);
}
