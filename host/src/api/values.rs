//! The value model at the border: settings and payloads by handles. A value is named by its root and
//! the way from there, so that a handle needs no pointer into a tree.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use exeunt_api::abi::{Bytes, Handle, Kind as Number, Str, status};

use crate::config::{Key, Kind, Node};

/// The indexes below are those of the handles that name frames.
const FIRST: usize = 16;
/// The deepest payload that a module may build.
const DEEPEST: usize = 32;

#[derive(Clone)]
struct Place {
    stamp: u32,
    root: Rc<Node>,
    way: Vec<usize>,
}

thread_local! {
    static PLACES: RefCell<Vec<Option<Place>>> = const { RefCell::new(Vec::new()) };
    static STAMP: Cell<u32> = const { Cell::new(0) };
}

/// How many places are in use: what is added later is released with its callback.
pub(super) fn mark() -> usize {
    PLACES.with_borrow(Vec::len)
}

/// Releases what was added since `mark`.
pub(super) fn release(mark: usize) {
    PLACES.with_borrow_mut(|places| places.truncate(mark));
}

fn add(root: Rc<Node>, way: Vec<usize>) -> Option<Handle> {
    PLACES.with_borrow_mut(|places| {
        let stamp = STAMP.get().wrapping_add(1).max(1);
        STAMP.set(stamp);
        let index = u32::try_from(places.len() + FIRST).ok()?;
        places.push(Some(Place { stamp, root, way }));
        Some(Handle { index, generation: stamp })
    })
}

fn place(handle: Handle) -> Result<Place, i32> {
    let index = (handle.index as usize).checked_sub(FIRST).ok_or(status::BAD_HANDLE)?;
    PLACES.with_borrow(|places| {
        let place = places.get(index).and_then(Option::as_ref);
        place.filter(|p| p.stamp == handle.generation).cloned().ok_or(status::BAD_HANDLE)
    })
}

/// Takes a value out that nothing else refers to: one that `value_new` made.
pub(super) fn take(handle: Handle) -> Result<Node, i32> {
    let found = place(handle)?;
    if !found.way.is_empty() {
        return Err(status::BAD_ARGUMENT);
    }
    drop(found);
    let node = PLACES.with_borrow_mut(|places| {
        let node = places[handle.index as usize - FIRST].take();
        while places.last().is_some_and(Option::is_none) {
            places.pop();
        }
        node
    });
    let root = node.ok_or(status::BAD_HANDLE)?.root;
    Rc::try_unwrap(root).map_err(|_| status::BAD_ARGUMENT)
}

impl Place {
    fn node(&self) -> &Node {
        self.way.iter().fold(&*self.root, |node, step| match &node.kind {
            Kind::List(entries) => &entries[*step],
            Kind::Table(entries) => &entries[*step].1,
            _ => node,
        })
    }

    fn step(&self, index: usize) -> Option<Handle> {
        let mut way = self.way.clone();
        way.push(index);
        add(Rc::clone(&self.root), way)
    }
}

/// The host's side: values go in and come out.
pub(crate) struct ValueStore;

impl ValueStore {
    /// Lends a tree to the running callback.
    pub(crate) fn lend(root: &Rc<Node>) -> Option<Handle> {
        add(Rc::clone(root), Vec::new())
    }

    /// Removes a payload that was delivered.
    pub(super) fn forget(handle: Handle) {
        let _gone = take(handle);
    }
}

/// Where the text of a value stands.
pub(super) fn span(handle: Handle) -> Result<Range<usize>, i32> {
    Ok(place(handle)?.node().span.clone())
}

/// Reads something of a value.
fn read<T>(handle: Handle, get: impl FnOnce(&Kind) -> Option<T>) -> Result<T, i32> {
    get(&place(handle)?.node().kind).ok_or(status::NONE)
}

pub(super) fn kind(handle: Handle) -> Result<i32, i32> {
    let number = |kind: &Kind| match kind {
        Kind::Null => Number::Null,
        Kind::Bool(_) => Number::Bool,
        Kind::Int(_) => Number::Int,
        Kind::Float(_) => Number::Float,
        Kind::Str(_) => Number::Str,
        Kind::Bytes(_) => Number::Bytes,
        Kind::List(_) => Number::List,
        Kind::Table(_) => Number::Table,
    };
    read(handle, |kind| Some(number(kind) as i32))
}

pub(super) fn bool(handle: Handle) -> Result<bool, i32> {
    read(handle, |kind| if let Kind::Bool(b) = kind { Some(*b) } else { None })
}

pub(super) fn int(handle: Handle) -> Result<i64, i32> {
    read(handle, |kind| if let Kind::Int(n) = kind { Some(*n) } else { None })
}

pub(super) fn float(handle: Handle) -> Result<f64, i32> {
    read(handle, |kind| match kind {
        Kind::Float(n) => Some(*n),
        Kind::Int(n) => Some(*n as f64),
        _ => None,
    })
}

pub(super) fn str(handle: Handle) -> Result<Str, i32> {
    read(handle, |kind| if let Kind::Str(text) = kind { Some(Str::new(text)) } else { None })
}

pub(super) fn bytes(handle: Handle) -> Result<Bytes, i32> {
    read(handle, |kind| if let Kind::Bytes(bytes) = kind { Some(Bytes::new(bytes)) } else { None })
}

pub(super) fn len(handle: Handle) -> Result<usize, i32> {
    read(handle, |kind| match kind {
        Kind::List(entries) => Some(entries.len()),
        Kind::Table(entries) => Some(entries.len()),
        _ => None,
    })
}

pub(super) fn at(handle: Handle, index: usize) -> Option<Handle> {
    (index < len(handle).ok()?).then_some(())?;
    place(handle).ok()?.step(index)
}

pub(super) fn key(handle: Handle, index: usize) -> Result<Str, i32> {
    read(handle, |kind| match kind {
        Kind::Table(entries) => entries.get(index).map(|(key, _)| Str::new(&key.name)),
        _ => None,
    })
}

pub(super) fn get(handle: Handle, name: &str) -> Option<Handle> {
    let found = place(handle).ok()?;
    let Kind::Table(entries) = &found.node().kind else { return None };
    let index = entries.iter().position(|(key, _)| key.name == name)?;
    found.step(index)
}

pub(super) fn new(kind: i32, int: i64, float: f64, bytes: Option<&[u8]>) -> Option<Handle> {
    let kind = match Number::from_number(kind)? {
        Number::Null => Kind::Null,
        Number::Bool => Kind::Bool(int != 0),
        Number::Int => Kind::Int(int),
        Number::Float => Kind::Float(float),
        Number::Str => Kind::Str(std::str::from_utf8(bytes?).ok()?.to_owned()),
        Number::Bytes => Kind::Bytes(bytes?.to_owned()),
        Number::List => Kind::List(Vec::new()),
        Number::Table => Kind::Table(Vec::new()),
    };
    add(Rc::new(Node { span: 0..0, kind }), Vec::new())
}

fn depth(node: &Node) -> usize {
    match &node.kind {
        Kind::List(entries) => 1 + entries.iter().map(depth).max().unwrap_or(0),
        Kind::Table(entries) => {
            1 + entries.iter().map(|(_, entry)| depth(entry)).max().unwrap_or(0)
        }
        _ => 1,
    }
}

/// Changes a value that `value_new` made.
fn change(
    handle: Handle,
    entry: Handle,
    change: impl FnOnce(&mut Kind, Node) -> bool,
) -> Result<(), i32> {
    if handle == entry || !place(handle)?.way.is_empty() || depth(place(entry)?.node()) > DEEPEST {
        return Err(status::BAD_ARGUMENT);
    }
    let entry = take(entry)?;
    PLACES.with_borrow_mut(|places| {
        let place = places.get_mut(handle.index as usize - FIRST).and_then(Option::as_mut);
        let root =
            place.and_then(|place| Rc::get_mut(&mut place.root)).ok_or(status::BAD_ARGUMENT)?;
        change(&mut root.kind, entry).then_some(()).ok_or(status::BAD_ARGUMENT)
    })
}

pub(super) fn push(list: Handle, entry: Handle) -> Result<(), i32> {
    change(list, entry, |kind, entry| {
        let Kind::List(entries) = kind else { return false };
        entries.push(entry);
        true
    })
}

pub(super) fn put(table: Handle, name: &str, entry: Handle) -> Result<(), i32> {
    change(table, entry, |kind, entry| {
        let Kind::Table(entries) = kind else { return false };
        entries.retain(|(key, _)| key.name != name);
        entries.push((Key { name: name.to_owned(), span: 0..0 }, entry));
        true
    })
}

/// A value as JSON; bytes are a list of numbers, and what is no number in JSON is null.
pub(crate) fn json(node: &Node) -> serde_json::Value {
    match &node.kind {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool(b) => (*b).into(),
        Kind::Int(n) => (*n).into(),
        Kind::Float(n) => (*n).into(),
        Kind::Str(text) => text.as_str().into(),
        Kind::Bytes(bytes) => bytes.as_slice().into(),
        Kind::List(entries) => entries.iter().map(json).collect(),
        Kind::Table(entries) => {
            entries.iter().map(|(key, entry)| (key.name.clone(), json(entry))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Handle {
        new(Number::Str as i32, 0, 0.0, Some(text.as_bytes())).expect("a value")
    }

    #[test]
    fn a_table_is_built_and_read_back() {
        let table = new(Number::Table as i32, 0, 0.0, None).expect("a table");
        let list = new(Number::List as i32, 0, 0.0, None).expect("a list");
        push(list, new(Number::Int as i32, 7, 0.0, None).expect("a number")).expect("pushed");
        put(table, "n", list).expect("put");
        let inner = get(table, "n").and_then(|list| at(list, 0)).expect("the entry");
        assert_eq!((int(inner), kind(inner)), (Ok(7), Ok(Number::Int as i32)));
        assert_eq!(at(get(table, "n").expect("the list"), 1), None);
    }

    #[test]
    fn an_entry_belongs_to_its_list_and_a_value_is_not_its_own_entry() {
        let list = new(Number::List as i32, 0, 0.0, None).expect("a list");
        let entry = text("x");
        assert_eq!(push(list, list), Err(status::BAD_ARGUMENT));
        assert_eq!(push(list, entry), Ok(()));
        assert_eq!(push(list, entry), Err(status::BAD_HANDLE));
    }

    #[test]
    fn what_a_callback_made_is_gone_with_it() {
        let before = mark();
        let value = text("x");
        release(before);
        assert_eq!(kind(value), Err(status::BAD_HANDLE));
    }
}
