//! The scoreboard: what `who` shows. For display, never for decisions. A session maps its own entry
//! and nothing else; a reader believes nothing that it finds.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use exeunt_ledger::Text;

use crate::sys;

const MAGIC: u64 = u64::from_le_bytes(*b"exeuntS\0");
const VERSION: u32 = 1;

/// The first page of the file.
#[repr(C, align(4096))]
pub(crate) struct Head {
    magic: AtomicU64,
    version: AtomicU32,
    capacity: AtomicU32,
    generation: AtomicU64,
}

/// One session, on a page of its own.
#[repr(C, align(4096))]
pub(crate) struct Entry {
    /// Odd while it is being written.
    turn: AtomicU32,
    pid: AtomicU32,
    session: AtomicU64,
    started: AtomicU64,
    active: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    id: Text<32>,
    listen: Text<32>,
    protocol: Text<32>,
    peer: Text<64>,
    user: Text<64>,
    state: Text<16>,
    command: Text<128>,
    path: Text<256>,
}

/// What is known when a session begins.
pub(crate) struct Beginning<'a> {
    pub(crate) pid: u32,
    pub(crate) session: u64,
    pub(crate) id: &'a str,
    pub(crate) listen: &'a str,
    pub(crate) protocol: &'a str,
    pub(crate) peer: &'a str,
    /// Milliseconds since 1970 UTC.
    pub(crate) now: u64,
}

/// A line of `who`.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) pid: u32,
    pub(crate) generation: u64,
    pub(crate) listen: String,
    pub(crate) protocol: String,
    pub(crate) user: Option<String>,
    pub(crate) peer: String,
    /// Milliseconds since 1970 UTC.
    pub(crate) started: u64,
    /// Milliseconds since 1970 UTC.
    pub(crate) active: u64,
    pub(crate) state: String,
    pub(crate) command: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

impl Entry {
    fn write(&self, change: impl FnOnce(&Self)) {
        self.turn.fetch_or(1, Acquire);
        change(self);
        self.turn.fetch_add(1, Release);
    }

    /// Lists the session.
    pub(crate) fn begin(&self, beginning: &Beginning<'_>) {
        self.write(|entry| {
            entry.pid.store(beginning.pid, Relaxed);
            entry.session.store(beginning.session, Relaxed);
            entry.started.store(beginning.now, Relaxed);
            entry.active.store(beginning.now, Relaxed);
            entry.bytes_in.store(0, Relaxed);
            entry.bytes_out.store(0, Relaxed);
            entry.id.set(beginning.id);
            entry.listen.set(beginning.listen);
            entry.protocol.set(beginning.protocol);
            entry.peer.set(beginning.peer);
            entry.state.set("connected");
            entry.user.clear();
            entry.command.clear();
            entry.path.clear();
        });
    }

    /// Shows who logged in.
    pub(crate) fn log_in(&self, user: &str) {
        self.write(|entry| {
            entry.user.set(user);
            entry.state.set("logged-in");
        });
    }

    /// Shows what is being served.
    pub(crate) fn command(&self, command: &str, path: Option<&str>) {
        self.write(|entry| {
            entry.command.set(command);
            entry.path.set(path.unwrap_or_default());
        });
    }

    /// Shows that something was transferred. Not counted as a write: a reader may see one number new
    /// and one old.
    pub(crate) fn count(&self, bytes_in: u64, bytes_out: u64, now: u64) {
        self.bytes_in.store(bytes_in, Relaxed);
        self.bytes_out.store(bytes_out, Relaxed);
        self.active.store(now, Relaxed);
    }

    /// Deletes the entry.
    pub(crate) fn delete(&self) {
        self.session.store(0, Release);
    }

    fn read(&self, generation: u64) -> Option<Row> {
        const TRIES: usize = 100;
        for _ in 0..TRIES {
            let turn = self.turn.load(Acquire);
            if self.session.load(Relaxed) == 0 {
                return None;
            }
            let some = |text: String| Some(text).filter(|t| !t.is_empty());
            let row = Row {
                id: self.id.get(),
                pid: self.pid.load(Relaxed),
                generation,
                listen: self.listen.get(),
                protocol: self.protocol.get(),
                user: some(self.user.get()),
                peer: self.peer.get(),
                started: self.started.load(Relaxed),
                active: self.active.load(Relaxed),
                state: self.state.get(),
                command: some(self.command.get()),
                path: some(self.path.get()),
                bytes_in: self.bytes_in.load(Relaxed),
                bytes_out: self.bytes_out.load(Relaxed),
            };
            std::sync::atomic::fence(Acquire);
            if turn.is_multiple_of(2) && turn == self.turn.load(Relaxed) {
                return Some(row);
            }
        }
        None
    }
}

/// The name of a generation's scoreboard in the runtime directory.
pub(crate) fn file_name(generation: u64) -> String {
    format!("scoreboard.{generation}")
}

/// The size of a scoreboard for that many sessions.
pub(crate) fn file_size(capacity: u32) -> u64 {
    (size_of::<Head>() + capacity as usize * size_of::<Entry>()) as u64
}

/// Writes the first page of a new scoreboard.
pub(crate) fn create(file: &File, capacity: u32, generation: u64) -> io::Result<()> {
    file.set_len(file_size(capacity))?;
    sys::reserve(file, 0, size_of::<Head>())?;
    let head = sys::map_for_now::<Head>(file, 0, 1)?;
    head[0].version.store(VERSION, Relaxed);
    head[0].capacity.store(capacity, Relaxed);
    head[0].generation.store(generation, Relaxed);
    head[0].magic.store(MAGIC, Release);
    Ok(())
}

/// Maps the entry of one slot of the ledger, for its session. Slot 0 is the daemon's and has none.
pub(crate) fn entry(file: &File, slot: usize) -> io::Result<&'static Entry> {
    let place = slot.checked_sub(1).ok_or(io::ErrorKind::InvalidInput)?;
    let offset = size_of::<Head>() + place * size_of::<Entry>();
    let entry: &[Entry] = sys::map_pages(file, offset, 1)?;
    sys::not_for_children(entry)?;
    Ok(&entry[0])
}

/// Takes the room of the entry of a slot of the ledger, which was never used.
pub(crate) fn reserve(file: &File, slot: usize) -> io::Result<()> {
    let place = slot.checked_sub(1).ok_or(io::ErrorKind::InvalidInput)?;
    sys::reserve(file, size_of::<Head>() + place * size_of::<Entry>(), size_of::<Entry>())
}

/// Every entry: for the zygote, which deletes those of the dead. Its children do not have them.
pub(crate) struct Board(&'static [Entry]);

impl Board {
    /// Maps the scoreboard.
    pub(crate) fn map(file: &File, capacity: u32) -> io::Result<Self> {
        let entries: &[Entry] = sys::map_pages(file, size_of::<Head>(), capacity as usize)?;
        sys::not_for_children(entries)?;
        Ok(Self(entries))
    }

    /// Deletes the entry of a slot of the ledger.
    pub(crate) fn delete(&self, slot: usize) {
        if let Some(entry) = slot.checked_sub(1).and_then(|place| self.0.get(place)) {
            entry.delete();
        }
    }
}

/// Reads every session of a generation's scoreboard.
///
/// # Errors
///
/// If the file cannot be read, or has a layout that this version does not know.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Row>> {
    let file = File::open(path)?;
    let strange = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    if file.metadata()?.len() < size_of::<Head>() as u64 {
        return Err(strange("the scoreboard is shorter than its first page"));
    }
    let head: &Head = &sys::map_read_only::<Head>(&file, 0, 1)?[0];
    if head.magic.load(Acquire) != MAGIC || head.version.load(Relaxed) != VERSION {
        return Err(strange("the scoreboard has a layout that this version does not know"));
    }
    let capacity = head.capacity.load(Relaxed);
    if capacity == 0 || file.metadata()?.len() < file_size(capacity) {
        return Err(strange("the scoreboard is shorter than it says"));
    }
    let generation = head.generation.load(Relaxed);
    let entries: &[Entry] = sys::map_read_only(&file, size_of::<Head>(), capacity as usize)?;
    Ok(entries.iter().filter_map(|entry| entry.read(generation)).collect())
}
