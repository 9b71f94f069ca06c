//! Each refusal of an inspection, by its text; and that no file makes it panic.

use exeunt_api::abi::{MAJOR, MINOR};
use proptest::prelude::*;

use super::sample::Sample;
use super::{Refusal, inspect};

/// The refusal of the sample with one thing changed.
fn refused(change: impl FnOnce(&mut Sample)) -> Refusal {
    let mut sample = Sample::default();
    change(&mut sample);
    inspect(&sample.bytes()).unwrap_err()
}

/// The refusal of a sample whose note has other text.
fn refused_note(change: impl FnOnce(&mut String)) -> Refusal {
    refused(|sample| change(&mut sample.notes[0]))
}

#[test]
fn a_module_is_known_by_its_note() {
    let identity = inspect(&Sample::default().bytes()).unwrap();
    assert_eq!((identity.name.as_str(), identity.version.as_str()), ("sample", "1.2.3"));
    assert_eq!((identity.compiler.as_str(), identity.schema.as_str()), ("rustc 1.95", "{}"));
    assert_eq!(identity.abi, (MAJOR, MINOR));
    assert_eq!(identity.code, [identity.span]);
}

#[test]
fn what_is_not_elf_is_refused() {
    assert_eq!(inspect(b"").unwrap_err().message, "it is empty");
    assert_eq!(inspect(b"#!/bin/sh\n").unwrap_err().message, "it is not an ELF file");
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused() {
    let bytes = Sample::default().bytes();
    for len in 4..bytes.len() {
        let refusal = inspect(&bytes[..len]).unwrap_err();
        assert_eq!(refusal.message, "it is truncated", "at {len} bytes");
        assert!(refusal.detail.unwrap().starts_with(&format!("it has {len} bytes")));
    }
}

#[test]
fn a_file_for_another_machine_is_refused() {
    let of_s390 = refused(|sample| sample.machine = 22);
    assert_eq!(of_s390.message, "it was built for another machine: machine number 22");
    let mut bytes = Sample::default().bytes();
    bytes[4] = 1;
    let narrow = inspect(&bytes).unwrap_err();
    assert_eq!(narrow.message, "it was built for another machine: a 32-bit one");
    (bytes[4], bytes[5]) = (2, 2);
    let swapped = inspect(&bytes).unwrap_err();
    assert_eq!(swapped.message, "it was built for another machine: one of the other byte order");
}

#[test]
fn what_is_not_a_shared_object_is_refused() {
    let text = "it is a program or an object file, not a shared object";
    assert_eq!(refused(|sample| sample.kind = 2).message, text);
    assert_eq!(refused(|sample| sample.dynamic = None).message, text);
    let pie = vec![(0x6fff_fffb, 0x0800_0000), (0, 0)];
    assert_eq!(refused(|sample| sample.dynamic = Some(pie)).message, text);
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(inspect(&own).unwrap_err().message, text);
}

#[test]
fn an_executable_stack_is_refused() {
    let text = "it asks for an executable stack";
    assert_eq!(refused(|sample| sample.stack_flags = Some(7)).message, text);
    assert_eq!(refused(|sample| sample.stack_flags = None).message, text);
}

#[test]
fn memory_both_writable_and_executable_is_refused() {
    let refusal = refused(|sample| sample.code_flags = 7);
    assert_eq!(refusal.message, "it has a segment that is both writable and executable");
}

#[test]
fn text_relocations_are_refused() {
    for entry in [(22, 0), (30, 4)] {
        let refusal = refused(|sample| sample.dynamic = Some(vec![entry, (0, 0)]));
        assert!(refusal.message.ends_with("(text relocations)"), "{}", refusal.message);
    }
    let after_the_end = Sample { dynamic: Some(vec![(0, 0), (22, 0)]), ..Sample::default() };
    assert!(inspect(&after_the_end.bytes()).is_ok());
}

#[test]
fn an_ordinary_library_is_refused() {
    let refusal = refused(|sample| sample.notes.clear());
    assert_eq!(refusal.message, "it is a shared object, but not a module of exeunt");
    assert!(refusal.hint.unwrap().contains("export_module!"));
}

#[test]
fn another_version_of_the_interface_is_refused_before_the_rest_of_the_note() {
    let refusal = refused_note(|note| *note = format!("abi={MAJOR}.99\nshape=unknown\n"));
    assert_eq!(
        refusal.message,
        format!("it was built for interface {MAJOR}.99, this host offers {MAJOR}.{MINOR}")
    );
    assert_eq!(refusal.hint.unwrap(), format!("build it against exeunt-api {MAJOR}.{MINOR}"));
}

#[test]
fn a_malformed_note_is_refused_with_what_is_wrong() {
    let detail = |old: &str, new: &str| {
        let refusal = refused_note(|note| *note = note.replace(old, new));
        assert_eq!(refusal.message, "its identity note is malformed");
        refusal.detail.unwrap()
    };
    assert_eq!(detail("abi=0.", "abi=zero."), format!("its abi is `zero.{MINOR}`"));
    assert_eq!(detail("version=1.2.3\n", ""), "version is missing");
    assert_eq!(detail("name=sample", "name=Sam\u{1b}ple"), "its name is `Sam\\u{1b}ple`");
    assert_eq!(detail("name=sample", "name=../sample"), "its name is `../sample`");
    assert_eq!(detail("schema={}", "schema={"), "its schema is not JSON");
    let doubled = refused(|sample| sample.notes.push(sample.notes[0].clone()));
    assert_eq!(doubled.detail.unwrap(), "there are several");
}

#[test]
fn a_segment_beyond_the_address_space_is_refused() {
    let mut bytes = Sample::default().bytes();
    // p_vaddr of the first segment.
    bytes[64 + 16..64 + 24].fill(0xff);
    let refusal = inspect(&bytes).unwrap_err();
    assert_eq!(refusal.detail.unwrap(), "a segment reaches beyond the address space");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_file_makes_an_inspection_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        len in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = Sample::default().bytes();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(len.index(bytes.len()));
        }
        // Whatever is accepted can be worked with: its ranges are in order.
        if let Ok(identity) = inspect(&bytes) {
            prop_assert!(identity.span.start <= identity.span.end);
        }
    }
}
