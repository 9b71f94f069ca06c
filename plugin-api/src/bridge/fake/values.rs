//! The fake host's value model.

use super::with;
use crate::abi::{Bytes, Handle, Kind, Str, status};

/// A value; text and bytes are leaked, which is well for a test.
#[derive(Clone)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(&'static str),
    Bytes(&'static [u8]),
    List(Vec<Handle>),
    Table(Vec<(&'static str, Handle)>),
}

/// The bytes that a call lent, for ever.
pub(super) fn leaked(bytes: Bytes) -> &'static [u8] {
    // SAFETY: the caller of the host's function lent the bytes for the call.
    let lent = unsafe { bytes.get() }.unwrap_or_default();
    Vec::leak(lent.to_vec())
}

/// The text that a call lent, for ever.
pub(super) fn leaked_str(text: Str) -> &'static str {
    // SAFETY: the caller of the host's function lent the text for the call.
    let lent: &str = unsafe { text.get() }.unwrap_or_default();
    String::leak(lent.to_owned())
}

/// Writes to where the caller of the host's function asked for it.
pub(super) fn give<T>(out: *mut T, value: Option<T>) -> i32 {
    let Some(value) = value else { return status::NONE };
    // SAFETY: the caller of the host's function lent the place for the call.
    unsafe { out.write(value) };
    status::OK
}

fn node(handle: Handle) -> Node {
    with(|fake| fake.values[handle.index as usize].clone())
}

fn add(node: Node) -> Handle {
    with(|fake| {
        fake.values.push(node);
        Handle { index: u32::try_from(fake.values.len() - 1).unwrap(), generation: 1 }
    })
}

pub(super) unsafe extern "C" fn kind(value: Handle) -> i32 {
    let kind = match node(value) {
        Node::Null => Kind::Null,
        Node::Bool(_) => Kind::Bool,
        Node::Int(_) => Kind::Int,
        Node::Float(_) => Kind::Float,
        Node::Str(_) => Kind::Str,
        Node::Bytes(_) => Kind::Bytes,
        Node::List(_) => Kind::List,
        Node::Table(_) => Kind::Table,
    };
    kind as i32
}

pub(super) unsafe extern "C" fn as_bool(value: Handle) -> i32 {
    if let Node::Bool(on) = node(value) { i32::from(on) } else { status::NONE }
}

pub(super) unsafe extern "C" fn as_int(value: Handle, out: *mut i64) -> i32 {
    give(out, if let Node::Int(number) = node(value) { Some(number) } else { None })
}

pub(super) unsafe extern "C" fn as_float(value: Handle, out: *mut f64) -> i32 {
    give(out, if let Node::Float(number) = node(value) { Some(number) } else { None })
}

pub(super) unsafe extern "C" fn as_str(value: Handle, out: *mut Str) -> i32 {
    give(out, if let Node::Str(text) = node(value) { Some(Str::new(text)) } else { None })
}

pub(super) unsafe extern "C" fn as_bytes(value: Handle, out: *mut Bytes) -> i32 {
    give(out, if let Node::Bytes(bytes) = node(value) { Some(Bytes::new(bytes)) } else { None })
}

/// Names (empty in a list) and handles of the entries.
fn entries(value: Handle) -> Option<Vec<(&'static str, Handle)>> {
    match node(value) {
        Node::List(list) => Some(list.into_iter().map(|entry| ("", entry)).collect()),
        Node::Table(table) => Some(table),
        _ => None,
    }
}

fn entry(value: Handle, index: u64) -> Option<(&'static str, Handle)> {
    entries(value)?.get(usize::try_from(index).unwrap()).copied()
}

pub(super) unsafe extern "C" fn len(value: Handle) -> i64 {
    entries(value).map_or(status::NONE.into(), |all| i64::try_from(all.len()).unwrap())
}

pub(super) unsafe extern "C" fn at(value: Handle, index: u64) -> Handle {
    entry(value, index).map_or(Handle::NONE, |(_, entry)| entry)
}

pub(super) unsafe extern "C" fn key(value: Handle, index: u64, out: *mut Str) -> i32 {
    give(out, entry(value, index).map(|(name, _)| Str::new(name)))
}

pub(super) unsafe extern "C" fn get(value: Handle, name: Str) -> Handle {
    let (name, all) = (leaked_str(name), entries(value).unwrap_or_default());
    all.iter().find(|(other, _)| *other == name).map_or(Handle::NONE, |(_, entry)| *entry)
}

pub(super) unsafe extern "C" fn new(kind: i32, int: i64, float: f64, bytes: Bytes) -> Handle {
    add(match Kind::from_number(kind).unwrap() {
        Kind::Null => Node::Null,
        Kind::Bool => Node::Bool(int != 0),
        Kind::Int => Node::Int(int),
        Kind::Float => Node::Float(float),
        Kind::Str => Node::Str(std::str::from_utf8(leaked(bytes)).unwrap()),
        Kind::Bytes => Node::Bytes(leaked(bytes)),
        Kind::List => Node::List(Vec::new()),
        Kind::Table => Node::Table(Vec::new()),
    })
}

pub(super) unsafe extern "C" fn push(list: Handle, entry: Handle) -> i32 {
    with(|fake| match &mut fake.values[list.index as usize] {
        Node::List(list) => list.push(entry),
        _ => panic!("not a list"),
    });
    status::OK
}

pub(super) unsafe extern "C" fn put(table: Handle, name: Str, entry: Handle) -> i32 {
    let name = leaked_str(name);
    with(|fake| match &mut fake.values[table.index as usize] {
        Node::Table(table) => table.push((name, entry)),
        _ => panic!("not a table"),
    });
    status::OK
}
