//! Shared pages: the ledger's and the scoreboard's mappings.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;

use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// Types that are made of atomics only: any bytes are a value, and other processes may write them.
///
/// # Safety
///
/// Every field must be an atomic integer (or made of them), so that all bit patterns are valid and
/// concurrent writes are defined; the alignment must be at most a page.
pub(crate) unsafe trait Plain: Sync {}

// SAFETY: the ledger's layouts consist of atomics and of texts that consist of atomics.
unsafe impl Plain for exeunt_ledger::Header {}
// SAFETY: as above.
unsafe impl Plain for exeunt_ledger::Identity {}
// SAFETY: as above.
unsafe impl Plain for exeunt_ledger::State {}
// SAFETY: as above.
unsafe impl Plain for exeunt_ledger::Slot {}
// SAFETY: the scoreboard's layouts consist of atomics and of texts that consist of atomics.
unsafe impl Plain for crate::scoreboard::Head {}
// SAFETY: as above.
unsafe impl Plain for crate::scoreboard::Entry {}
// SAFETY: the layouts of the counters consist of atomics and of texts that consist of atomics.
unsafe impl Plain for crate::counters::Directory {}
// SAFETY: as above.
unsafe impl Plain for crate::counters::Family {}

fn map<T: Plain>(
    file: impl AsFd,
    offset: usize,
    count: usize,
    protection: ProtFlags,
) -> io::Result<&'static [T]> {
    let size = size_of::<T>().checked_mul(count).and_then(NonZeroUsize::new);
    let size = size.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let offset = i64::try_from(offset).map_err(io::Error::other)?;
    // SAFETY: a new mapping at an address that the kernel chooses touches nothing that exists.
    let start = unsafe { mmap(None, size, protection, MapFlags::MAP_SHARED, file, offset) }?;
    // SAFETY: the mapping is page aligned, as long as `count` values, never unmapped, and `Plain` says
    // that any bytes are a value. The files are never truncated (they belong to the daemon).
    Ok(unsafe { std::slice::from_raw_parts(start.cast::<T>().as_ptr(), count) })
}

/// Maps `count` values of a file from `offset` on, to read and write.
pub(crate) fn map_pages<T: Plain>(
    file: impl AsFd,
    offset: usize,
    count: usize,
) -> io::Result<&'static [T]> {
    map(file, offset, count, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE)
}

/// Maps `count` values of a file from `offset` on, to read. With a descriptor that was opened to read
/// only, the kernel refuses to make the pages writable later.
pub(crate) fn map_read_only<T: Plain>(
    file: impl AsFd,
    offset: usize,
    count: usize,
) -> io::Result<&'static [T]> {
    map(file, offset, count, ProtFlags::PROT_READ)
}

/// Takes the room of a part of a file, so that a write to a mapping of it cannot fail for want of it.
pub(crate) fn reserve(file: impl AsFd, offset: usize, size: usize) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), offset as u64, size as u64) {
        // A file system that cannot promise it.
        Err(Errno::OPNOTSUPP) => Ok(()),
        done => Ok(done?),
    }
}

/// Keeps a mapping out of the children that this process forks.
pub(crate) fn not_for_children<T: Plain>(pages: &'static [T]) -> io::Result<()> {
    let start = NonNull::from(pages).cast();
    // SAFETY: the range is a mapping of ours; the advice changes nothing in this process.
    unsafe { madvise(start, size_of_val(pages), MmapAdvise::MADV_DONTFORK) }?;
    Ok(())
}
