//! Descriptors that come from outside the type system.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Takes ownership of a descriptor that this process was started with.
///
/// # Errors
///
/// If no such descriptor is open.
pub(crate) fn adopt(number: RawFd) -> io::Result<OwnedFd> {
    if !is_open(number) {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and the caller was given it by exec, with nobody else to own it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Whether the number is an open descriptor.
pub(crate) fn is_open(number: RawFd) -> bool {
    // SAFETY: F_GETFD only asks whether the number is an open descriptor.
    unsafe { libc::fcntl(number, libc::F_GETFD) >= 0 }
}

/// Keeps a descriptor from the programs that this process starts, or leaves it to them.
pub(crate) fn keep_from_programs(number: RawFd, keep: bool) -> io::Result<()> {
    let flags = if keep { libc::FD_CLOEXEC } else { 0 };
    // SAFETY: F_SETFD changes a flag of the descriptor, if there is one with that number.
    if unsafe { libc::fcntl(number, libc::F_SETFD, flags) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Closes every descriptor but those of `keep`, which must be sorted.
///
/// Called in a child right after fork, for what belongs to the parent; the values that owned them are
/// never dropped in the child, which ends by `_exit`.
pub(crate) fn close_all_but(keep: &[RawFd]) -> io::Result<()> {
    let mut from: u32 = 0;
    for number in keep.iter().copied().chain([RawFd::MAX]) {
        let number = number as u32;
        if number > from {
            // SAFETY: close_range takes three integers; the descriptors are the parent's, see above.
            let done = unsafe { libc::syscall(libc::SYS_close_range, from, number - 1, 0) };
            if done < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        from = number + 1;
    }
    Ok(())
}
