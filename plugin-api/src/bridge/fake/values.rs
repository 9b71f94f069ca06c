//! The fake host's value model.

use super::with;
use crate::abi::{Answer, Handle, Kind, status};

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

/// The value that a handle names.
pub(super) fn node(handle: Handle) -> Node {
    with(|fake| fake.values[handle.index as usize].clone())
}

/// Keeps a value.
fn add(node: Node) -> Handle {
    with(|fake| {
        fake.values.push(node);
        Handle { index: u32::try_from(fake.values.len() - 1).unwrap(), generation: 1 }
    })
}

pub(super) fn kind(value: Handle) -> Kind {
    match node(value) {
        Node::Null => Kind::Null,
        Node::Bool(_) => Kind::Bool,
        Node::Int(_) => Kind::Int,
        Node::Float(_) => Kind::Float,
        Node::Str(_) => Kind::Str,
        Node::Bytes(_) => Kind::Bytes,
        Node::List(_) => Kind::List,
        Node::Table(_) => Kind::Table,
    }
}

/// Names (empty in a list) and handles of the entries.
pub(super) fn entries(value: Handle) -> Answer<Vec<(&'static str, Handle)>> {
    match node(value) {
        Node::List(list) => Ok(list.into_iter().map(|entry| ("", entry)).collect()),
        Node::Table(table) => Ok(table),
        _ => Err(status::NONE),
    }
}

pub(super) fn entry(value: Handle, index: usize) -> Option<(&'static str, Handle)> {
    entries(value).ok()?.get(index).copied()
}

pub(super) fn new(kind: i32, int: i64, float: f64, bytes: Option<&[u8]>) -> Option<Handle> {
    let leaked = || -> &'static [u8] { Vec::leak(bytes.unwrap().to_vec()) };
    Some(add(match Kind::from_number(kind)? {
        Kind::Null => Node::Null,
        Kind::Bool => Node::Bool(int != 0),
        Kind::Int => Node::Int(int),
        Kind::Float => Node::Float(float),
        Kind::Str => Node::Str(std::str::from_utf8(leaked()).unwrap()),
        Kind::Bytes => Node::Bytes(leaked()),
        Kind::List => Node::List(Vec::new()),
        Kind::Table => Node::Table(Vec::new()),
    }))
}

/// Appends an entry to a list, or with its name to a table.
pub(super) fn append(whole: Handle, name: &str, entry: Handle) -> Answer<()> {
    let name = String::leak(name.to_owned());
    with(|fake| match &mut fake.values[whole.index as usize] {
        Node::List(list) => list.push(entry),
        Node::Table(table) => table.push((name, entry)),
        _ => panic!("neither a list nor a table"),
    });
    Ok(())
}
