//! The identity note: which module a file holds and what it was built against.

use std::str::FromStr;

use exeunt_api::abi::{MAJOR, MINOR, NOTE_TYPE};
use object::elf;
use object::endian::Endianness;
use object::read::elf::ProgramHeader;
use serde::de::IgnoredAny;

use super::super::refusal::shown;
use super::{Refusal, Segment, damaged};

/// The note's owner, without the NUL that ends it in the file.
const OWNER: &[u8] = b"exeunt";
/// The longest text that is taken for a version or a compiler's name.
const LONGEST: usize = 128;

/// What stands in the note.
pub(super) struct Note {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) compiler: String,
    pub(super) schema: String,
    pub(super) abi: (u32, u32),
}

/// Finds the one identity note among all notes of the file.
pub(super) fn find(
    segments: &[Segment],
    endian: Endianness,
    bytes: &[u8],
) -> Result<Note, Refusal> {
    let mut found = Vec::new();
    for segment in segments.iter().filter(|s| s.p_type(endian) == elf::PT_NOTE) {
        for note in segment.notes(endian, bytes).map_err(damaged)?.into_iter().flatten() {
            let note = note.map_err(damaged)?;
            if note.name() == OWNER && note.n_type(endian).0 == NOTE_TYPE {
                found.push(note.desc());
            }
        }
    }
    match found[..] {
        [] => Err(Refusal::new("it is a shared object, but not a module of exeunt")
            .detail("it has no identity note")
            .hint("a module calls `export_module!` (Rust) or `EXEUNT_MODULE` (C) once")),
        [text] => read(text),
        _ => Err(malformed("there are several")
            .hint("a module cannot contain another one: depend on a common library instead")),
    }
}

/// Reads the text of a note: `key=value` lines, and last the schema to the end.
fn read(text: &[u8]) -> Result<Note, Refusal> {
    let text = std::str::from_utf8(text).map_err(|_| malformed("it is not UTF-8"))?;
    let (lines, schema) = text.split_once("\nschema=").unwrap_or((text, ""));
    let value = |key: &str| {
        let line = |line: &str| Some(line.strip_prefix(key)?.strip_prefix('=')?.to_owned());
        lines.lines().find_map(line).ok_or_else(|| malformed(&format!("{key} is missing")))
    };
    // First of all: a note of another version may hold other things.
    let abi = version(&value("abi")?)?;
    if !fits((MAJOR, MINOR), abi) {
        return Err(other_interface(abi));
    }
    // A Rust module pads with newlines, a C compiler with NULs.
    let schema = schema.trim_end_matches(['\n', '\0']);
    serde_json::from_str::<IgnoredAny>(schema).map_err(|_| malformed("its schema is not JSON"))?;
    Ok(Note {
        name: word("name", value("name")?, is_module_name)?,
        version: word("version", value("version")?, is_plain)?,
        compiler: word("compiler", value("compiler")?, is_plain)?,
        schema: schema.to_owned(),
        abi,
    })
}

fn word(key: &str, value: String, right: fn(&str) -> bool) -> Result<String, Refusal> {
    if right(&value) {
        return Ok(value);
    }
    Err(malformed(&format!("its {key} is `{}`", shown(&value))))
}

fn is_module_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn is_plain(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|b| matches!(b, b' '..=b'~'))
}

fn version(text: &str) -> Result<(u32, u32), Refusal> {
    let number = |digits: &str| u32::from_str(digits).ok();
    text.split_once('.')
        .and_then(|(major, minor)| Some((number(major)?, number(minor)?)))
        .ok_or_else(|| malformed(&format!("its abi is `{}`", shown(text))))
}

/// Whether a module built for interface `module` can be loaded by a host that offers `host`. Until
/// 1.0 each minor version is an interface of its own. After that the major version decides here, and
/// the comparison of the layouts whether all that a newer module requires exists.
fn fits(host: (u32, u32), module: (u32, u32)) -> bool {
    if host.0 == 0 { module == host } else { module.0 == host.0 }
}

fn other_interface((major, minor): (u32, u32)) -> Refusal {
    Refusal::new(format!(
        "it was built for interface {major}.{minor}, this host offers {MAJOR}.{MINOR}"
    ))
    .hint(format!("build it against exeunt-api {MAJOR}.{MINOR}"))
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("its identity note is malformed").detail(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_one_equal_versions_are_required_and_afterwards_equal_major_ones() {
        assert!(fits((0, 3), (0, 3)));
        assert!(!fits((0, 3), (0, 2)) && !fits((0, 3), (0, 4)) && !fits((0, 3), (1, 3)));
        assert!(fits((1, 3), (1, 2)) && fits((1, 3), (1, 4)));
        assert!(!fits((1, 3), (0, 3)) && !fits((1, 3), (2, 3)));
    }

    #[test]
    fn a_schema_may_hold_lines_that_look_like_keys() {
        let text = format!(
            "abi={MAJOR}.{MINOR}\nname=a\nversion=1\ncompiler=c\nschema={{\"fields\":[\n\"name=b\"]}}\n\n"
        );
        let note = read(text.as_bytes()).unwrap();
        assert_eq!(
            (note.name.as_str(), note.schema.as_str()),
            ("a", "{\"fields\":[\n\"name=b\"]}")
        );
    }
}
