//! A ledger's file: which pages of it each process maps. What is written on them is the business of
//! `exeunt_ledger` and of those who work with it.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use exeunt_ledger::{Header, Identity, MAGIC, Slot, State, VERSION};

use crate::sys::{self, Mapping};

/// The folder of the kept modules in the runtime directory.
pub(crate) const KEPT: &str = "modules";

/// The slot of the daemon's own events; sessions begin at 1.
pub(crate) const DAEMON: usize = 0;

/// The log of logins in the runtime directory.
pub(crate) const LOGINS: &str = "logins";

/// The name of a generation's ledger in the runtime directory.
pub(crate) fn file_name(generation: u64) -> String {
    format!("ledger.{generation}")
}

/// The generation whose ledger has that name.
pub(crate) fn generation_of(name: &str) -> Option<u64> {
    name.strip_prefix("ledger.")?.parse().ok()
}

/// Writes the first page of a new ledger for that many sessions.
pub(crate) fn create(
    file: &File,
    capacity: u32,
    generation: u64,
    incarnation: &str,
) -> io::Result<()> {
    file.set_len(file_size(capacity))?;
    sys::reserve(file, 0, offset(DAEMON + 1))?;
    let page = sys::map_for_now::<Header>(file, 0, 1)?;
    let header = &page[0];
    header.version.store(VERSION, Relaxed);
    header.capacity.store(capacity, Relaxed);
    header.generation.store(generation, Relaxed);
    header.incarnation.set(incarnation);
    header.magic.store(MAGIC, Release);
    Ok(())
}

/// Maps every slot that another generation has used, to read; a layout that is not known is refused.
pub(crate) fn slots_to_read(file: &File) -> io::Result<&'static [Slot]> {
    let slots = sys::map_read_only(file, offset(0), used(file)?)?;
    sys::not_for_children(slots)?;
    Ok(slots)
}

/// The same until the value is dropped.
pub(crate) fn slots_for_now(file: &File) -> io::Result<Mapping<Slot>> {
    sys::map_read_only_for_now(file, offset(0), used(file)?)
}

fn used(file: &File) -> io::Result<usize> {
    let page = sys::map_read_only_for_now::<Header>(file, 0, 1)?;
    let header = &page[0];
    if header.magic.load(Acquire) != MAGIC || header.version.load(Relaxed) != VERSION {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a ledger of another layout"));
    }
    let used = header.used.load(Relaxed).min(header.capacity.load(Relaxed) + 1);
    Ok(used.max(1) as usize)
}

/// A ledger as the supervisor has it, which records how orphans died: the first page and every slot,
/// until the generation is over.
pub(crate) struct Whole {
    header: Mapping<Header>,
    slots: Mapping<Slot>,
}

impl Whole {
    pub(crate) fn map(file: &File, capacity: u32) -> io::Result<Self> {
        let header = sys::map_for_now(file, 0, 1)?;
        let slots = sys::map_for_now(file, offset(0), capacity as usize + 1)?;
        sys::not_for_children(&header)?;
        sys::not_for_children(&slots)?;
        Ok(Self { header, slots })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header[0]
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }
}

/// Maps a ledger that a daemon left; one of another layout, or shorter than it says, is refused.
pub(crate) fn left_over(file: &File) -> io::Result<Whole> {
    let strange = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let size = file.metadata()?.len();
    if size < size_of::<Header>() as u64 {
        return Err(strange("the ledger is shorter than its first page"));
    }
    let page = sys::map_for_now::<Header>(file, 0, 1)?;
    let first = &page[0];
    if first.magic.load(Relaxed) != MAGIC || first.version.load(Relaxed) != VERSION {
        return Err(strange("the ledger has a layout that this version does not know"));
    }
    let capacity = first.capacity.load(Relaxed);
    if size < file_size(capacity) {
        return Err(strange("the ledger is shorter than it says"));
    }
    Whole::map(file, capacity)
}

fn file_size(capacity: u32) -> u64 {
    size_of::<Header>() as u64 + (u64::from(capacity) + 1) * size_of::<Slot>() as u64
}

/// The two descriptors of a ledger that a zygote holds: what its children map from the one that was
/// opened to read, they can never write.
pub(crate) struct Ledger {
    write: File,
    read: OwnedFd,
}

fn offset(slot: usize) -> usize {
    size_of::<Header>() + slot * size_of::<Slot>()
}

impl Ledger {
    pub(crate) fn new(write: OwnedFd, read: OwnedFd) -> Self {
        Self { write: write.into(), read }
    }

    /// The first page and every slot, for the zygote alone: its children do not have this mapping.
    pub(crate) fn whole(&self, capacity: u32) -> io::Result<(&'static Header, &'static [Slot])> {
        let header: &[Header] = sys::map_pages(&self.write, 0, 1)?;
        let slots: &[Slot] = sys::map_pages(&self.write, offset(0), capacity as usize + 1)?;
        sys::not_for_children(header)?;
        sys::not_for_children(slots)?;
        Ok((&header[0], slots))
    }

    /// Takes the room of a slot that was never used. The file is sparse: without this, a write to a
    /// page of it would kill the writer where the file system is full.
    pub(crate) fn reserve(&self, slot: usize) -> io::Result<()> {
        sys::reserve(&self.write, offset(slot), size_of::<Slot>())
    }

    /// Who the session of a slot is, to read.
    pub(crate) fn identity(&self, slot: usize) -> io::Result<&'static Identity> {
        Ok(&sys::map_read_only::<Identity>(&self.read, offset(slot), 1)?[0])
    }

    /// The state page of a session, for the session. Processes that it starts do not have it.
    pub(crate) fn state(&self, slot: usize) -> io::Result<&'static State> {
        let offset = offset(slot) + std::mem::offset_of!(Slot, state);
        self.page_of_its_own(offset)
    }

    /// The page on which runners go on after the session's death.
    pub(crate) fn takeover(&self, slot: usize) -> io::Result<&'static State> {
        let offset = offset(slot) + std::mem::offset_of!(Slot, takeover);
        self.page_of_its_own(offset)
    }

    fn page_of_its_own(&self, offset: usize) -> io::Result<&'static State> {
        let page: &[State] = sys::map_pages(&self.write, offset, 1)?;
        sys::not_for_children(page)?;
        Ok(&page[0])
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_slot_has_its_room_before_it_is_used_and_the_others_take_none() {
        let file = tempfile::tempfile().expect("a file");
        create(&file, 100, 1, "test").expect("a ledger");
        let room = || file.metadata().expect("a file").blocks() * 512;
        let before = room();
        assert!(before >= offset(1) as u64 && before < offset(50) as u64, "{before}");
        let again = |file: &File| OwnedFd::from(file.try_clone().expect("a descriptor"));
        let ledger = Ledger::new(again(&file), again(&file));
        ledger.reserve(70).expect("room");
        assert_eq!(room() - before, size_of::<Slot>() as u64);
    }
}
